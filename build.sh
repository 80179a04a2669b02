#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The one front door. It sets up what is missing, says what it does, and hands over to Python. Try: ./build.sh help
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

usage() {
    cat <<'HELP'
Dialtone: a private VoLTE network in a box.

  ./build.sh demo [--check] [--listen ADDRESS]   core, simulated eNB with three phones, JupyterLab; prints one URL
                                                 --check: attach, say pass or fail, and end
  ./build.sh test [PART ...]                     all parts, or some of: lint unit flows kernel notebooks browser
                                                 stands apart: soak (random days over lossy links, minutes)
  ./build.sh bench [--quick] [--json]            codec, attach, IMS and start-up figures, in one run
  ./build.sh image nuc|qemu                      build an image into .state/image (root)
  ./build.sh boot [--check]                      start the qemu image; --check: try it, say pass or fail, and end
  ./build.sh notebooks                           run every notebook from top to bottom
  ./build.sh lint                                ruff and mypy
  ./build.sh doctor                              what this machine has, and where the lab would run
  ./build.sh setup                               only install what is missing (every command does)
  ./build.sh lock                                make requirements/*.txt anew from requirements/all.in
  ./build.sh clean                               remove all that was made here: .venv, .state, caches

Runs on Debian 12 and 13 and Raspberry Pi OS, amd64 and arm64, as root or with sudo at hand.
HELP
}

# ------------------------------------------------------------------------------------------------ telling
STEP=0 STEPS=0
step() { STEP=$((STEP + 1)); printf '[%d/%d] %4ds  %s\n' "$STEP" "$STEPS" "$SECONDS" "$*" >&2; }
say() { printf '             %s\n' "$*" >&2; }
progress() { # progress PATTERN TOTAL: count the lines of a tool's output on one line, keep the output in $LOG
    tee "$LOG" | awk -v p="$1" -v total="$2" -v tty="$([ -t 2 ] && echo 1)" '
        $0 ~ p { n++; if (tty) printf "\r             %d of %d", n, total; else if (n % 25 == 0) printf "             %d of %d\n", n, total; fflush() }
        /^Installing collected/ { printf "%s             unpacking them\n", tty ? "\n" : ""; fflush() }
        END { if (tty && n) print "" }' >&2
}
failed() { tail -n 15 "$LOG" >&2; die "$1" "The lines above say why. No network? Only the first run needs it."; }
LOG=$(mktemp) # of the tool that runs just now
trap 'rm -f "$LOG"' EXIT
die() { printf 'build.sh: %s\n' "$1" >&2; shift; for line in "$@"; do printf '          %s\n' "$line" >&2; done; exit 1; }

# ------------------------------------------------------------------------------------------------ who and where
ARCH=$(dpkg --print-architecture 2>/dev/null || true)
STATE=.state
PATH=$PATH:/usr/sbin:/sbin
unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH  # compiled modules make every later start faster
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo -- "$@"
    else die "This step needs root: $*" "Run ./build.sh as root, or install sudo."; fi
}

need_root() { # the whole command runs as root from here on; what it makes stays the caller's
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null || die "'$1' needs root (namespaces, TUN)." "Run it as root, or install sudo."
    exec sudo --preserve-env=CI,DEBIAN_FRONTEND -- "$PWD/build.sh" "$@"
}

give_back() { # under sudo: what we make belongs to who called us
    [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID:-}" ] || return 0
    for path in "$@"; do [ ! -e "$path" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$path"; done
}

can_run_a_lab() { # before anything is installed
    local capabilities
    capabilities=$((16#$(awk '/^CapEff/ {print $2}' /proc/self/status)))
    if ! ((capabilities >> 12 & 1)) || ! unshare --net --mount --pid --fork true 2>/dev/null; then
        die "This is root without NET_ADMIN and SYS_ADMIN: no interface or namespace can be made." \
            "In a container: start it with --privileged (or --cap-add NET_ADMIN --cap-add SYS_ADMIN)."
    fi
    [ -c /dev/net/tun ] || modprobe -q tun 2>/dev/null || true
    if ! { [ -c /dev/net/tun ] && exec 9<>/dev/net/tun; } 2>/dev/null; then
        die "There is no usable /dev/net/tun." \
            "Load the module (modprobe tun); in a container: start it with --device /dev/net/tun."
    fi
    exec 9>&-
}

# ------------------------------------------------------------------------------------------------ set-up
BASE_PACKAGES=(iproute2 nftables unbound iputils-ping kmod util-linux procps ca-certificates)
TEST_PACKAGES=(tshark tcpdump chromium strace zbar-tools libosmocore-utils curl git freediameterd sip-tester kamailio kamailio-ims-modules kamailio-presence-modules)
IMAGE_PACKAGES=(mmdebstrap genimage mtools dosfstools e2fsprogs qemu-system-x86)
RARE_PACKAGES=(nextepc-mme nextepc-sgw nextepc-pgw) # of Debian 12 only; where there are none, their tests say so

available() { # those of these packages that this Debian has
    local package
    for package in "$@"; do
        [ -z "$(apt-cache madison "$package" 2>/dev/null)" ] || echo "$package"
    done
}

install_packages() { # only what is missing; nothing asks, and no service starts by being installed
    local package missing=() guard=
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        guard=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
        as_root chmod 755 "$guard"
    fi
    local result=0 wanted
    as_root apt-get -q update >"$LOG" 2>&1 || result=$?
    wanted=$(apt-get -s --no-install-recommends install "${missing[@]}" 2>/dev/null | grep -c '^Inst' || true)
    [ $result != 0 ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install \
        "${missing[@]}" 2>&1 | progress '^Setting up' "$wanted" || result=$?
    [ -z "$guard" ] || as_root rm -f "$guard"
    [ $result = 0 ] || failed "Debian's packages could not be installed: ${missing[*]}"
    # The lab starts a resolver of its own; the system's must not take port 53 at the next boot because of us.
    case " ${missing[*]} " in *" unbound "*) as_root systemctl disable unbound >/dev/null 2>&1 || true ;; esac
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

choose_python() { # sets PYTHON and VERSION: the .venv's own, Debian's, else any on PATH that we have a lock file for
    local candidate
    for candidate in .venv/bin/python /usr/bin/python3 python3 python3.13 python3.11; do
        VERSION=$(version_of "$candidate")
        if [ -n "$VERSION" ] && [ -e "requirements/py${VERSION/./}-$ARCH.txt" ]; then PYTHON=$candidate; return; fi
    done
    [ "${1:-}" = again ] && die "No Python 3.11 or 3.13 here (on $ARCH)." "Debian 12 and 13 have one: apt-get install python3"
    install_packages python3
    choose_python again
}

build_venv() { # from the hashed file of this Python and architecture; the stamp says that nothing has changed since
    local lock stamp
    choose_python
    lock=requirements/py${VERSION/./}-$ARCH.txt
    stamp=$(cat "$lock" pyproject.toml requirements/all.in | sha256sum | cut -d' ' -f1)-$PWD
    step "Python packages of $lock"
    [ "$(cat .venv/.dialtone-stamp 2>/dev/null)" = "$stamp" ] && return
    if [ ! -x .venv/bin/python ]; then
        [ "$PYTHON" != /usr/bin/python3 ] || install_packages python3-venv
        say "environment .venv from $(command -v "$PYTHON") ($VERSION)"
        "$PYTHON" -m venv .venv || { rm -rf .venv; die "$PYTHON cannot make an environment (is ensurepip there?)"; }
    fi
    PYTHONUNBUFFERED=1 .venv/bin/python -m pip install --progress-bar off --no-input --require-hashes --only-binary :all: -r "$lock" 2>&1 |
        progress '^(Collecting|Processing|Requirement already) ' "$(grep -c '^[a-z].*==' "$lock")" || failed "pip could not install them."
    .venv/bin/python -m pip install -q --no-input --no-index --no-deps --no-build-isolation --editable . >"$LOG" 2>&1 ||
        failed "Dialtone itself could not be installed into .venv."
    .venv/bin/python -m compileall -q appliance >/dev/null || true # what cannot be compiled, lint shows
    echo "$stamp" >.venv/.dialtone-stamp
    give_back .venv appliance
}

probe() { PYTHONPATH=appliance "${PYTHON:-python3}" -m dialtone.lab_kernel.kernel "$@"; }

lab_kernel() { # user-mode Linux, only where this kernel lacks something
    [ "$(id -u)" = 0 ] || return 0
    local lacking
    lacking=$(probe --lacking)
    [ -z "$lacking" ] || [ "$ARCH" != amd64 ] || install_packages user-mode-linux
    say "$(probe --why)"
}

setup() { # setup base|test FURTHER-STEPS
    [ -n "$ARCH" ] || die "This is no Debian: no dpkg here." "Debian 12 or 13, or Raspberry Pi OS, on amd64 or arm64."
    case $ARCH in amd64 | arm64) ;; *) die "Architecture $ARCH is not supported: amd64 and arm64 are." ;; esac
    STEPS=$((3 + $2))
    step "Debian packages"
    install_packages "${BASE_PACKAGES[@]}"
    [ "$1" = base ] || install_packages "${TEST_PACKAGES[@]}" $(available "${RARE_PACKAGES[@]}")
    build_venv
    step "The lab's kernel"
    lab_kernel
    mkdir -p $STATE
    give_back $STATE
}

# ------------------------------------------------------------------------------------------------ commands
lint() {
    step "ruff and mypy"
    .venv/bin/ruff check .
    .venv/bin/mypy
}

have_tests() { [ -n "$(find "$1" \( -name 'test_*.py' -o -name '*.ipynb' \) -print -quit 2>/dev/null)" ]; }

run_tests() { # one pytest for all parts: one summary of what was skipped and why, one closing line
    local part parts=("$@") paths=() options=()
    [ ${#parts[@]} -gt 0 ] || parts=(lint unit flows kernel notebooks browser)
    for part in "${parts[@]}"; do
        case $part in
            lint) lint ;;
            unit | browser | soak) paths+=("tests/$part") ;;
            flows) paths+=(tests/flows tests/fuzz) ;;
            kernel) paths+=(tests/host tests/kernel) ;;
            notebooks) paths+=(notebooks); options+=(--nbmake --nbmake-timeout=300) ;;
            *) die "There is no part '$part'." "Parts: lint unit flows kernel notebooks browser soak" ;;
        esac
    done
    local found=() result=0
    for part in "${paths[@]}"; do ! have_tests "$part" || found+=("$part"); done
    if [ ${#found[@]} = 0 ]; then
        [ ${#paths[@]} = 0 ] || die "No tests in: ${paths[*]}"
        return 0
    fi
    step "pytest: ${found[*]}"
    .venv/bin/python -m pytest -ra --timeout=600 --junitxml=$STATE/tests.xml "${options[@]}" "${found[@]}" || result=$?
    give_back $STATE .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis appliance tests
    return $result
}

doctor() {
    if [ -x .venv/bin/dialtone ]; then exec .venv/bin/dialtone doctor "$@"; fi
    choose_python_quietly
    probe
    say "Nothing is installed yet: ./build.sh setup"
}

choose_python_quietly() { PYTHON=$(command -v python3 || true); [ -n "$PYTHON" ] || die "No python3 here yet: ./build.sh setup"; }

lock() { # needs the network, and uv from PyPI in an environment of its own
    local version arch work
    work=$(mktemp -d)
    python3 -m venv "$work" && "$work/bin/pip" install -q uv
    for version in 3.11 3.13; do
        for arch in amd64:x86_64 arm64:aarch64; do
            step "requirements/py${version/./}-${arch%:*}.txt"
            "$work/bin/uv" pip compile -q --upgrade --generate-hashes --only-binary :all: --no-header --no-annotate \
                --no-emit-index-url --python-version "$version" --python-platform "${arch#*:}-unknown-linux-gnu" \
                requirements/all.in -o "requirements/py${version/./}-${arch%:*}.txt"
        done
    done
    for arch in amd64:x86_64 arm64:aarch64; do # the image has Debian 13's Python, and the same versions
        "$work/bin/uv" pip compile -q --generate-hashes --only-binary :all: --no-header --no-annotate \
            --no-emit-index-url --python-version 3.13 --python-platform "${arch#*:}-unknown-linux-gnu" \
            -c "requirements/py313-${arch%:*}.txt" requirements/image.in -o "requirements/image-${arch%:*}.txt"
    done
    rm -rf "$work"
}

clean() {
    step "remove .venv, .state and caches"
    rm -rf .venv $STATE .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist appliance/*.egg-info
    find appliance tests notebooks -name __pycache__ -prune -exec rm -rf {} +
}

command=${1:-help}
[ $# = 0 ] || shift
case $command in
    help | -h | --help) usage ;;
    setup) setup test 0 ;;
    doctor) doctor "$@" ;;
    lock) lock ;;
    clean) clean ;;
    lint) setup test 1; lint ;;
    demo)
        need_root demo "$@"
        can_run_a_lab
        setup base 1
        step "The demo"
        exec .venv/bin/dialtone demo "$@" # Ctrl-C reaches it as it reached us
        ;;
    bench)
        need_root bench "$@"
        setup test 1
        step "Benches"
        exec .venv/bin/python -m tests.bench "$@"
        ;;
    image)
        need_root image "$@"
        setup base 2
        step "Tools for images"
        install_packages "${IMAGE_PACKAGES[@]}"
        step "The image"
        image/make "${1:-}" $STATE/image
        give_back $STATE
        ;;
    boot)
        setup base 1
        step "QEMU"
        install_packages qemu-system-x86
        [ -e $STATE/image/qemu/dialtone.img ] || die "There is no image to boot yet." "Build it: ./build.sh image qemu"
        exec .venv/bin/python image/qemu.py $STATE/image/qemu "$@"
        ;;
    notebooks) set -- notebooks "$@" ;&
    test)
        case " $* " in
            "  " | *" kernel "* | *" notebooks "* | *" browser "*) need_root test "$@"; can_run_a_lab ;;
        esac
        case " $* " in "  " | *" lint "*) setup test 2 ;; *) setup test 1 ;; esac
        run_tests "$@"
        ;;
    *) usage >&2; die "There is no command '$command'." ;;
esac
