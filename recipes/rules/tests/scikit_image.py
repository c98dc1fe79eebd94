"""Filters, features, segmentation and files on images that are made here."""

from __future__ import annotations


def images() -> object:
    """Results on synthetic images, as numbers and digests."""
    import hashlib
    import tempfile
    from pathlib import Path

    import numpy as np
    from skimage import (
        color,
        data,
        exposure,
        feature,
        filters,
        io,
        measure,
        morphology,
        restoration,
        segmentation,
        transform,
        util,
    )

    def digest(image: np.ndarray) -> str:
        return hashlib.sha256(
            np.ascontiguousarray(np.round(np.asarray(image, float), 5)).tobytes()
        ).hexdigest()[:12]

    blobs = data.binary_blobs(64, rng=0)
    noisy = util.random_noise(blobs.astype(float), rng=1)
    found = [
        digest(filters.gaussian(noisy, 2)),
        digest(filters.sobel(noisy)),
        float(filters.threshold_otsu(noisy)),
        digest(restoration.denoise_tv_chambolle(noisy)),
        digest(segmentation.slic(np.dstack([noisy] * 3), n_segments=10)),
        digest(morphology.skeletonize(blobs)),
        digest(transform.rotate(noisy, 30)),
        digest(exposure.equalize_hist(noisy)),
        digest(feature.corner_harris(noisy)),
        digest(color.rgb2lab(np.dstack([noisy] * 3))),
        int(measure.label(blobs).max()),
    ]
    cascade = feature.Cascade(data.lbp_frontal_face_cascade_filename())
    found.append(len(cascade.detect_multi_scale(np.dstack([noisy] * 3), 1.2, 1, (24, 24), (60, 60))))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.png")
        io.imsave(path, util.img_as_ubyte(noisy), check_contrast=False)
        found.append(digest(io.imread(path)))
    return [found, sorted(data.__all__)]
