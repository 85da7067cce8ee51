#!/bin/sh
# Install what is missing from the system's own packages, and say so before:
#   system.sh run     PostGIS and Python's venv for the product, and Chinese letters for what it prints
#   system.sh test    also a browser, what drives it, and its Chinese letters, for the tests
# Without the right to install, or on another system, print the exact command and stop.
set -eu
purpose=${1:-run}
python=${PYTHON:-python3}
root=${SYSROOT:-}  # where the system is looked at; the tests name an empty one
log=var/setup.log

say() { printf '\033[1m哨图 Shaotu\033[0m  %s\n' "$*" >&2; }
# The command stands on a line of its own, to be copied.
stop() { say "$1"; [ $# = 1 ] || printf '\n    %s\n\n' "$2" >&2; exit 1; }

is_mac() { [ "$(uname)" = Darwin ]; }
is_root() { [ "$(id -u)" = 0 ]; }
may_sudo() { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }
as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

is_new_enough() { "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
has_postgis() {
    [ -n "${SHAOTU_DATABASE_URL:-}" ] && return 0
    for control in "$root"/usr/share/postgresql/*/extension/postgis.control \
        "$root"/opt/homebrew/share/postgresql*/extension/postgis.control \
        "$root"/usr/local/share/postgresql*/extension/postgis.control; do
        [ -e "$control" ] && return 0
    done
    return 1
}
has_venv() { "$python" -c 'import venv, ensurepip' 2>/dev/null; }
has_browser() {
    [ -n "${SHAOTU_BROWSER:-}" ] && return 0
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && return 0
    done
    [ -e "$root/Applications/Google Chrome.app" ] || [ -e "$root/Applications/Chromium.app" ]
}
# Playwright's own Node is linked to it.
has_atomics() { is_mac || [ -n "$(ls "$root"/usr/lib/*/libatomic.so.1 "$root"/usr/lib*/libatomic.so.1 2>/dev/null)" ]; }
# Any font that a ledger can be printed with.
has_letters() {
    is_mac || has_chinese || [ -n "$(ls "$root"/usr/share/fonts/truetype/wqy/*.ttc "$root"/usr/share/fonts/*/*/NotoSansSC* \
        "$root"/usr/share/fonts/truetype/droid/DroidSansFallback*.ttf 2>/dev/null)" ]
}
has_chinese() { is_mac || ls "$root"/usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1; }

missing() {
    has_postgis || echo postgresql-postgis
    has_venv || "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    [ "$purpose" = run ] && return
    has_browser || browser_package
    has_atomics || echo libatomic1
    has_chinese || echo fonts-noto-cjk
}
# Ubuntu has no package of Debian's name, and one that brings a snap.
browser_package() {
    if apt-cache show chromium >/dev/null 2>&1 || ! apt-cache show chromium-browser >/dev/null 2>&1; then
        echo chromium
    else
        echo chromium-browser
    fi
}

# What an administrator would type, for whoever may not install.
apt_command() {
    printf 'sudo apt-get update'
    case $packages in *postgresql*)
        printf ' && sudo apt-get install -y postgresql-common'
        printf ' && echo create_main_cluster=false | sudo tee -a /etc/postgresql-common/createcluster.conf' ;;
    esac
    printf ' && sudo apt-get install -y --no-install-recommends %s' "$packages"
}
brew_command() {
    formulas='' casks=''
    for package in $packages; do
        case $package in
            postgresql-postgis) formulas="$formulas postgresql@17 postgis" ;;
            python*) formulas="$formulas python@3.13" ;;
            chromium*) casks=' google-chrome' ;;
        esac
    done
    [ -z "$formulas" ] || printf 'brew install%s' "$formulas"
    [ -z "$formulas" ] || [ -z "$casks" ] || printf ' && '
    [ -z "$casks" ] || printf 'brew install --cask%s' "$casks"
}

# Debian makes and starts a cluster of its own with the server; we start a private one, so this one must not appear.
forbid_main_cluster() {
    ls "$root"/usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && return
    install_packages postgresql-common
    as_root sed -i 's/^#\{0,1\} *create_main_cluster.*/create_main_cluster = false/' \
        "$root/etc/postgresql-common/createcluster.conf"
}
install_packages() {
    logged env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}
logged() {
    as_root "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; stop "未能安装，详见 / could not be installed, see $log"; }
}

is_new_enough ||
    stop "需要 Python 3.11 或更高版本（可用 make PYTHON=... 指定）。Python 3.11 or newer is needed (name it with make PYTHON=...)."

packages=$(missing | tr '\n' ' ')
packages=${packages% }
[ -z "$packages" ] && exit 0
# Ledgers are printed with them; nothing else waits for letters, so they come along and are never the reason.
[ "$purpose" = test ] || has_letters || packages="$packages fonts-wqy-microhei"

is_mac && stop "请先执行 / run first:" "$(brew_command)"
command -v apt-get >/dev/null ||
    stop "请用本系统的包管理器安装相当于以下 Debian 软件包的程序 / install this system's equivalent of the Debian packages:  $packages"
is_root || may_sudo ||
    stop "没有安装软件的权限，请让管理员执行 / no right to install packages, let an administrator run:" "$(apt_command)"

say "将从系统软件源安装 / will install from the system's packages:  $packages"
case $packages in *postgresql*)
    say "其中 PostgreSQL 不建立系统自带的数据库集群 / PostgreSQL will not create its own cluster (create_main_cluster = false)" ;;
esac
mkdir -p var
logged apt-get update -qq
case $packages in *postgresql*) forbid_main_cluster ;; esac
# shellcheck disable=SC2086 -- a list of names
install_packages $packages
