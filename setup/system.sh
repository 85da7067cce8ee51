#!/bin/sh
# Install what is missing from the system's own packages, and say so before:
#   system.sh run     PostGIS and Python's venv, for the product
#   system.sh test    also a browser and Chinese letters, for the tests
# Without the right to install, or on another system, print the exact command and stop.
set -eu
purpose=${1:-run}
python=${PYTHON:-python3}
log=var/setup.log

say() { printf '\033[1m哨图 Shaotu\033[0m  %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }
may_sudo() { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }
as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

has_postgis() {
    [ -n "${SHAOTU_DATABASE_URL:-}" ] && return 0
    for control in /usr/share/postgresql/*/extension/postgis.control \
        /opt/homebrew/share/postgresql*/extension/postgis.control \
        /usr/local/share/postgresql*/extension/postgis.control; do
        [ -e "$control" ] && return 0
    done
    return 1
}
has_venv() { "$python" -c 'import venv, ensurepip' 2>/dev/null; }
has_browser() { command -v chromium >/dev/null || command -v google-chrome >/dev/null || [ -n "${SHAOTU_BROWSER:-}" ]; }
has_chinese() { ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || [ "$(uname)" = Darwin ]; }

missing() {
    has_postgis || echo postgresql-postgis
    has_venv || "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    [ "$purpose" = run ] && return
    has_browser || echo chromium
    has_chinese || echo fonts-noto-cjk
}

# Debian makes and starts a cluster of its own with the server; we start a private one, so this one must not appear.
forbid_main_cluster() {
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && return
    install_packages postgresql-common
    as_root sed -i 's/^#\{0,1\} *create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
}
install_packages() {
    logged env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}
logged() {
    as_root "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; stop "未能安装，详见 / could not be installed, see $log"; }
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    stop "需要 Python 3.11 或更高版本（可用 make PYTHON=... 指定）。Python 3.11 or newer is needed (name it with make PYTHON=...)."

packages=$(missing | tr '\n' ' ')
[ -z "$packages" ] && exit 0

if [ "$(uname)" = Darwin ]; then
    stop "请先执行 / run first:  brew install postgresql@17 postgis && brew install --cask google-chrome"
fi
command -v apt-get >/dev/null ||
    stop "请用本系统的包管理器安装相当于以下 Debian 软件包的程序 / install this system's equivalent of the Debian packages:  $packages"

no_cluster="echo create_main_cluster=false | sudo tee -a /etc/postgresql-common/createcluster.conf"
command="sudo apt-get update && sudo apt-get install -y postgresql-common && $no_cluster && sudo apt-get install -y $packages"
is_root || may_sudo || stop "没有安装软件的权限，请让管理员执行 / no right to install packages, let an administrator run:  $command"

say "将从系统软件源安装 / will install from the system's packages:  $packages"
case $packages in *postgresql*)
    say "其中 PostgreSQL 不建立系统自带的数据库集群 / PostgreSQL will not create its own cluster (create_main_cluster = false)" ;;
esac
mkdir -p var
logged apt-get update -qq
case $packages in *postgresql*) forbid_main_cluster ;; esac
# shellcheck disable=SC2086 -- a list of names
install_packages $packages
