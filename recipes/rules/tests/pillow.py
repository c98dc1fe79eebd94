"""Images in all other formats, text, filters and colour profiles."""

from __future__ import annotations


def formats() -> object:
    """Digests of an image after a round through each format."""
    import hashlib
    import io

    from PIL import Image, ImageCms, ImageDraw, ImageFilter, ImageFont, features

    image = Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 50).convert("RGB")
    ImageDraw.Draw(image).text((2, 2), "abc", font=ImageFont.load_default(12), fill=(255, 0, 0))
    found = {}
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "ICO", "JPEG2000", "PPM", "TGA", "PCX"):
        data = io.BytesIO()
        image.save(data, kind)
        read = Image.open(io.BytesIO(data.getvalue()))
        found[kind] = [read.format, read.size, hashlib.sha256(read.convert("RGB").tobytes()).hexdigest()[:12]]
    data = io.BytesIO()
    image.save(data, "TIFF", compression="tiff_lzw")
    profile = ImageCms.createProfile("sRGB")
    names = [name for name in sorted(features.get_supported()) if name != "avif"]
    blurred = image.filter(ImageFilter.GaussianBlur(2)).resize((20, 20), Image.Resampling.LANCZOS)
    return [found, names, ImageCms.getProfileName(profile), hashlib.sha256(blurred.tobytes()).hexdigest()]
