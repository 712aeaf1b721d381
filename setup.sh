# Sourced by ./resguardo and ./check; expects $here. Leaves .venv ready with the packages of one lock file.
UV_VERSION=0.13.9
export UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 PYTHONUTF8=1
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME 2>/dev/null || true

say() { printf '%s\n' "$*" >&2; }

find_python() {
    for python in python3.11 python3.12 python3; do
        if command -v "$python" >/dev/null 2>&1 &&
            "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
    say "Resguardo necesita Python 3.11 o 3.12. / Resguardo needs Python 3.11 or 3.12."
    exit 2
}

find_uv() {
    if command -v uv >/dev/null 2>&1; then
        command -v uv
    elif [ -x "$here/.uv/$UV_VERSION/bin/uv" ]; then
        echo "$here/.uv/$UV_VERSION/bin/uv"
    else
        say "Instalando uv en .uv/ … / Installing uv in .uv/ …"
        "$1" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
            --target "$here/.uv/$UV_VERSION" -r "$here/requirements-uv.lock" >&2
        echo "$here/.uv/$UV_VERSION/bin/uv"
    fi
}

# install_packages LOCK: nothing to do while the lock file is the one that .venv was made from.
install_packages() {
    mark=$(cat "$here/$1" "$here/pyproject.toml" | cksum)
    if [ "$(cat "$here/.venv/made-from" 2>/dev/null)" = "$1 $mark" ]; then
        return
    fi
    # What ./check installed holds all that ./resguardo needs.
    if [ "$1" = requirements.lock ] && 
        [ "$(cat "$here/.venv/made-from" 2>/dev/null)" = \
            "requirements-dev.lock $(cat "$here/requirements-dev.lock" "$here/pyproject.toml" | cksum)" ]; then
        return
    fi
    python=$(find_python)
    uv=$(find_uv "$python")
    say "Instalando los paquetes en .venv/ … / Installing the packages in .venv/ …"
    [ -x "$here/.venv/bin/python" ] || "$uv" venv --quiet --python "$python" "$here/.venv"
    "$uv" pip sync --quiet --python "$here/.venv/bin/python" --require-hashes "$here/$1"
    for packages in "$here"/.venv/lib/python3*/site-packages; do
        echo "$here/src" >"$packages/resguardo.pth"
    done
    echo "$1 $mark" >"$here/.venv/made-from"
}
