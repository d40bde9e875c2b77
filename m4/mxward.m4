dnl SPDX-License-Identifier: BSD-2-Clause

dnl MXW_TRY_CFLAG(VARIABLE, FLAG): append FLAG to VARIABLE if the compiler takes it.
AC_DEFUN([MXW_TRY_CFLAG], [
	AS_VAR_PUSHDEF([cache], [mxw_cv_cflag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		mxw_saved=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$mxw_saved
	])
	AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cache])
])

dnl MXW_TRY_LDFLAG(VARIABLE, FLAG): append FLAG to VARIABLE if the linker takes it.
AC_DEFUN([MXW_TRY_LDFLAG], [
	AS_VAR_PUSHDEF([cache], [mxw_cv_ldflag_$2])
	AC_CACHE_CHECK([whether the linker takes $2], [cache], [
		mxw_saved=$LDFLAGS
		LDFLAGS="$LDFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		LDFLAGS=$mxw_saved
	])
	AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cache])
])

AC_DEFUN([MXW_C17], [
	MXW_CFLAGS=
	MXW_LDFLAGS=
	MXW_TRY_CFLAG([MXW_CFLAGS], [-std=gnu17])
	AC_SUBST([MXW_CFLAGS])
	AC_SUBST([MXW_LDFLAGS])
])

AC_DEFUN([MXW_WARNINGS], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [a compiler warning is an error])],
		[], [enable_werror=no])
	m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
		-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wformat=2 -Wcast-qual
		-Wundef -Wvla -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough
		-Wno-unused-parameter],
		[MXW_TRY_CFLAG([MXW_CFLAGS], flag)
	])
	AS_IF([test "x$enable_werror" = xyes], [MXW_CFLAGS="$MXW_CFLAGS -Werror"])
])

dnl Compiled as position independent executables, read-only relocations, stack
dnl protector, fortified libc calls: on by default.
AC_DEFUN([MXW_HARDENING], [
	AC_ARG_ENABLE([hardening],
		[AS_HELP_STRING([--disable-hardening], [leave the hardening flags out])],
		[], [enable_hardening=yes])
	AC_ARG_ENABLE([asan],
		[AS_HELP_STRING([--enable-asan], [AddressSanitizer and UBSan])],
		[], [enable_asan=no])
	AC_ARG_ENABLE([tsan],
		[AS_HELP_STRING([--enable-tsan], [ThreadSanitizer])],
		[], [enable_tsan=no])
	MXW_PIE_CFLAGS=
	MXW_PIE_LDFLAGS=
	AS_IF([test "x$enable_hardening" = xyes], [
		MXW_TRY_CFLAG([MXW_CFLAGS], [-fstack-protector-strong])
		MXW_TRY_CFLAG([MXW_CFLAGS], [-fstack-clash-protection])
		MXW_TRY_LDFLAG([MXW_LDFLAGS], [-Wl,-z,relro])
		MXW_TRY_LDFLAG([MXW_LDFLAGS], [-Wl,-z,now])
		MXW_TRY_CFLAG([MXW_PIE_CFLAGS], [-fPIE])
		MXW_TRY_LDFLAG([MXW_PIE_LDFLAGS], [-pie])
		dnl Sanitizers check more than _FORTIFY_SOURCE and do not mix with it.
		AS_IF([test "x$enable_asan$enable_tsan" = xnono], [
			AC_MSG_CHECKING([for _FORTIFY_SOURCE])
			mxw_saved=$CFLAGS
			CFLAGS="$CFLAGS -Werror -Wundef -O2"
			AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
				#ifndef _FORTIFY_SOURCE
				#error not set by the packager
				#endif]], [[]])],
				[AC_MSG_RESULT([set already])],
				[AS_CASE([" $mxw_saved "], [*" -O0 "*],
					[AC_MSG_RESULT([no, without optimisation])],
					[MXW_CFLAGS="$MXW_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
					 AC_MSG_RESULT([2])])])
			CFLAGS=$mxw_saved
		])
	])
	AC_SUBST([MXW_PIE_CFLAGS])
	AC_SUBST([MXW_PIE_LDFLAGS])
])

AC_DEFUN([MXW_SANITIZERS], [
	AS_IF([test "x$enable_asan" = xyes && test "x$enable_tsan" = xyes],
		[AC_MSG_ERROR([--enable-asan and --enable-tsan exclude each other])])
	AS_IF([test "x$enable_asan" = xyes], [
		MXW_CFLAGS="$MXW_CFLAGS -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
		MXW_LDFLAGS="$MXW_LDFLAGS -fsanitize=address,undefined"
		AC_DEFINE([MXW_WITH_ASAN], [1], [Built with AddressSanitizer])])
	AS_IF([test "x$enable_tsan" = xyes], [
		MXW_CFLAGS="$MXW_CFLAGS -fsanitize=thread -fno-omit-frame-pointer"
		MXW_LDFLAGS="$MXW_LDFLAGS -fsanitize=thread"
		AC_DEFINE([MXW_WITH_TSAN], [1], [Built with ThreadSanitizer])])
	AM_CONDITIONAL([WITH_ASAN], [test "x$enable_asan" = xyes])
	AM_CONDITIONAL([WITH_TSAN], [test "x$enable_tsan" = xyes])
	AM_CONDITIONAL([WITH_SANITIZER], [test "x$enable_asan$enable_tsan" != xnono])
])

dnl MXW_MISSING(WHAT, DEBIAN-PACKAGE, FEDORA-PACKAGE): remember it for MXW_REPORT_MISSING.
AC_DEFUN([MXW_MISSING], [
	mxw_missing="${mxw_missing}
    $1"
	mxw_missing_deb="${mxw_missing_deb} $2"
	mxw_missing_rpm="${mxw_missing_rpm} $3"
])

dnl MXW_NEED_PROG(NAME, PROGRAM, DEBIAN-PACKAGE, FEDORA-PACKAGE)
AC_DEFUN([MXW_NEED_PROG], [
	AC_CHECK_PROG([mxw_have_$1], [$2], [yes], [no])
	AS_IF([test "x$mxw_have_$1" != xyes], [MXW_MISSING([$2], [$3], [$4])])
])

dnl MXW_NEED_LIB(NAME, PKG-CONFIG-MODULE, HEADER, FUNCTION, LIBRARY, DEBIAN-PACKAGE, FEDORA-PACKAGE)
dnl Sets NAME_CFLAGS and NAME_LIBS. pkg-config is asked first; a library without a .pc file is
dnl looked for with its header and one function.
AC_DEFUN([MXW_NEED_LIB], [
	mxw_found=no
	m4_ifval([$2], [PKG_CHECK_MODULES([$1], [$2], [mxw_found=yes], [mxw_found=no])])
	AS_IF([test $mxw_found = no], [
		mxw_saved=$LIBS
		AC_CHECK_HEADER([$3], [
			AC_CHECK_LIB([$5], [$4], [mxw_found=yes; $1_LIBS="-l$5"], [], [-lpthread])],
			[], [#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <stddef.h>
])
		LIBS=$mxw_saved
	])
	AS_IF([test $mxw_found = no], [MXW_MISSING([$3 (-l$5)], [$6], [$7])])
	AC_SUBST([$1_CFLAGS])
	AC_SUBST([$1_LIBS])
])

AC_DEFUN([MXW_REPORT_MISSING], [
	AS_IF([test -n "$mxw_missing"], [
		AC_MSG_ERROR([these are missing:
$mxw_missing

Debian, Ubuntu:  apt-get install$mxw_missing_deb
Fedora:          dnf install$mxw_missing_rpm
])])
])
