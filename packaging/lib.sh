# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What packaging/check, quickstart and build-deb share. Sourced by them, never run; needs $top.
# Nothing here starts a service or changes the machine's mail system.

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

need_root() {
	[ "$(id -u)" = 0 ] || die "needs root (it installs packages and starts servers of other users): sudo packaging/${0##*/}"
}

# The packages, by their Debian names. Fedora's are below.
deb_build=(gcc make libc6-dev autoconf automake libtool pkg-config flex bison xz-utils
	libmilter-dev libspf2-dev libopendkim-dev libldap-dev libunbound-dev libssl-dev libidn2-dev libunistring-dev libpsl-dev libsqlite3-dev libhiredis-dev check)
rpm_build=(gcc make autoconf automake libtool pkgconf-pkg-config flex bison xz
	sendmail-milter-devel libspf2-devel libopendkim-devel openldap-devel unbound-devel openssl-devel libidn2-devel libunistring-devel libpsl-devel sqlite-devel hiredis-devel check-devel)

deb_missing() {
	local name
	for name; do
		case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) in
		ii*) ;;
		*) printf '%s\n' "$name" ;;
		esac
	done
}

# Debian starts a service as soon as it is installed, unless this file says no.
policy_file=/usr/sbin/policy-rc.d
policy_mark='# put here by mxward while it installs packages'

services_hold() {
	services_release # what a killed run may have left
	if [ -e "$policy_file" ]; then
		[ -x "$policy_file" ] && "$policy_file" postfix start >/dev/null 2>&1
		[ $? = 101 ] && return 0
		mv "$policy_file" "$policy_file.mxward-saved"
	fi
	printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >"$policy_file"
	chmod 755 "$policy_file"
}

services_release() {
	if [ -e "$policy_file" ] && grep -qxF "$policy_mark" "$policy_file"; then
		rm -f "$policy_file"
	fi
	[ ! -e "$policy_file.mxward-saved" ] || mv "$policy_file.mxward-saved" "$policy_file"
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@" </dev/null
}

# Installs the Debian packages named that are not there. Services stay off, nothing is removed for them, and
# a Postfix that comes with them stays without configuration.
deb_install() {
	local missing rc=0
	mapfile -t missing < <(deb_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	if [[ " ${missing[*]} " == *" postfix "* ]]; then
		echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
	fi
	services_hold
	if ! compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null; then
		apt_get update || rc=$?
	fi
	if ! apt_get install --no-remove --no-install-recommends "${missing[@]}"; then
		rc=0
		apt_get update && apt_get install --no-remove --no-install-recommends "${missing[@]}" || rc=$?
	fi
	services_release
	return "$rc"
}

rpm_install() {
	rpm -q "$@" >/dev/null 2>&1 && return 0
	say "installing with dnf: $*"
	dnf install -y "$@" </dev/null
}

# The files of the tree, without what builds leave in it; separated by NULs.
tree_files() {
	if [ -e "$top/.git" ] && (cd "$top" && git -c safe.directory="$(pwd -P)" ls-files -z --cached --others \
		--exclude-standard) 2>/dev/null; then
		return 0
	fi
	(cd "$top" && find . \( -name .git -o -name .libs -o -name .deps -o -name autom4te.cache -o -path ./build \
		-o -path ./packaging/out \) -prune -o -type f ! -name '*.o' ! -name '*.lo' ! -name '*.la' \
		! -name config.status ! -name config.h ! -name stamp-h1 ! -name Makefile -print0)
}

# tree_copy DIR: a clean copy of the tree. Times are kept, so that what was built from it stays valid.
tree_copy() {
	mkdir -p "$1"
	tree_files | (cd "$top" && while IFS= read -r -d '' f; do [ ! -f "$f" ] || printf '%s\0' "$f"; done |
		tar -cf - --null --no-recursion -T -) | tar -xf - -C "$1" --no-same-owner
}

# work_dir NAME: an empty directory to build in, build/NAME. libtool can't install below a path with a blank;
# where the tree has one it is a directory in /var/tmp, for the caller to remove.
work_dir() {
	if [[ $top == *[[:space:]]* ]]; then
		mktemp -d "/var/tmp/mxward-$1.XXXXXX"
	else
		rm -rf "$top/build/$1"
		mkdir -p "$top/build/$1"
		printf '%s\n' "$top/build/$1"
	fi
}
drop_work_dir() { [[ $1 == "$top"/* ]] || rm -rf "$1"; }

# Makes ./configure in the current directory where it is missing or older than what it is made from. (make's own
# rules do not bring what a new kind of source needs, like ylwrap.)
make_configure() {
	if [ ! -x configure ] || [ ! -e Makefile.in ] || [ ! -e build-aux/ltmain.sh ] ||
		[ -n "$(find configure.ac Makefile.am m4 include src milter man packaging t \( -name '*.ac' -o -name '*.am' \
			-o -name mxward.m4 -o -name Makefile.inc \) -newer Makefile.in)" ]; then
		autoreconf -fi
	fi
}
