# shellcheck shell=bash
# Sourced by ci/quickstart and ci/test: a venv with spokeshave in it, and Docker where there are the rights.
# Nothing is installed that is already there, and nothing outside .venv without root or passwordless sudo.

say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

apt_install() {
    say "installing: $*"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# The newest Python that is at least 3.11; 3.11 itself first, because the host engine builds for it.
find_python() {
    for name in python3.11 python3 python3.14 python3.13 python3.12; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            echo "$name"
            return
        fi
    done
    say "error: spokeshave needs Python 3.11 or newer"
    say "next: apt-get install python3 (Debian 12 or newer, Ubuntu 24.04 or newer)"
    return 1
}

# .venv with spokeshave and its development tools; made anew where pyproject.toml has changed since.
make_venv() {
    local python stamp
    python=$(find_python)
    stamp=$(sha256sum pyproject.toml | cut -d' ' -f1)
    if [ "$(cat .venv/spokeshave.stamp 2>/dev/null)" = "$stamp" ]; then return; fi
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        may_install || { say "error: $python has no venv module; next: apt-get install python3-venv"; return 1; }
        apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    say "setting up .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check -e '.[dev]'
    echo "$stamp" > .venv/spokeshave.stamp
}

# Docker from the distribution, running; where that cannot be, the host engine and what it needs.
# The arguments are the script's own: it starts again with them where it must join Docker's group.
make_engine() {
    if docker info >/dev/null 2>&1 && command -v mmdebstrap >/dev/null; then return; fi
    if ! may_install; then
        say "no rights to install Docker here; using what there is (see: .venv/bin/spokeshave doctor)"
        return
    fi
    command -v mmdebstrap >/dev/null || apt_install mmdebstrap debian-archive-keyring uidmap gpg
    command -v dockerd >/dev/null || apt_install docker.io
    command -v docker >/dev/null || apt_install docker-cli  # a separate package since Debian 13
    docker info >/dev/null 2>&1 || start_docker
    docker info >/dev/null 2>&1 || join_docker_group "$@"
    docker info >/dev/null 2>&1 || host_tools
}

start_docker() {
    if [ -d /run/systemd/system ]; then
        as_root systemctl start docker && return
    fi
    say "starting dockerd (log: /tmp/spokeshave-dockerd.log)"
    as_root sh -c 'setsid dockerd >/tmp/spokeshave-dockerd.log 2>&1 </dev/null &'
    for _ in $(seq 60); do
        if as_root docker info >/dev/null 2>&1; then return; fi
        sleep 0.5
    done
    say "dockerd did not start; its last lines:"
    tail -n 5 /tmp/spokeshave-dockerd.log >&2 || true
}

# A user with sudo has no right to use the daemon before joining its group; the script continues in a shell that has.
join_docker_group() {
    if [ "$(id -u)" = 0 ] || [ -n "${SPOKESHAVE_IN_GROUP:-}" ]; then return; fi
    as_root docker info >/dev/null 2>&1 || return 0
    say "adding $(id -un) to group docker"
    as_root usermod -aG docker "$(id -un)"
    SPOKESHAVE_IN_GROUP=1 exec sg docker -c "$(printf '%q ' "ci/${0##*/}" "$@")"
}

host_tools() {
    say "Docker cannot run here; using the host engine"
    apt_install build-essential pkg-config
    apt_install python3.11-dev || say "the host engine builds for Python 3.11, which apt does not have here"
}

# Programs that some tests need: chromium those of the report's page, pandoc those of the example service. They
# are skipped, and say so, where it cannot be had.
make_test_tools() {
    local name
    for name in "$@"; do
        command -v "$name" >/dev/null || ! may_install || apt_install "$name" || say "no $name to be had"
    done
}

# Lever `symbols` of slim and shrink.
make_strip() {
    command -v strip >/dev/null || ! may_install || apt_install binutils
}

bootstrap() {
    make_venv
    make_engine "$@"
}
