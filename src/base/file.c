/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/base.h"

enum { SECRET_MAX = 4096 };

static mxw_status_t read_all(int fd, const char *path, size_t max, char **ret_data, size_t *ret_len,
			     struct mxw_error *err)
{
	mxw_status_t status = MXW_OK;
	size_t len = 0, cap = 4096;
	char *data = malloc(cap + 1);

	for (;;) {
		if (!data) {
			status = mxw__fail(err, MXW_ERR_NOMEM, "%s: out of memory", path);
			break;
		}
		ssize_t n = read(fd, data + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			status = mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
			break;
		}
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max) {
			status = mxw__fail(err, MXW_ERR_LIMIT, "%s: larger than %zu bytes", path, max);
			break;
		}
		if (len == cap) {
			cap *= 2;
			char *more = malloc(cap + 1);
			/* Not realloc(): it could leave a copy of a secret behind. */
			if (more)
				memcpy(more, data, len);
			mxw__wipe(data, len);
			free(data);
			data = more;
		}
	}
	if (status != MXW_OK) {
		if (data)
			mxw__wipe(data, len < cap ? len : cap);
		free(data);
		return status;
	}
	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return MXW_OK;
}

mxw_status_t mxw__file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, struct mxw_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	mxw_status_t status = read_all(fd, path, max, ret_data, ret_len, err);
	close(fd);
	return status;
}

mxw_status_t mxw__file_read_secret(const char *path, char **ret_secret, struct mxw_error *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *data = NULL;
	size_t len = 0;

	if (fd < 0)
		return mxw__fail(err, MXW_ERR_CONF, "%s: %s", path, strerror(errno));
	mxw_status_t status;
	if (fstat(fd, &st) != 0)
		status = mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		status = mxw__fail(err, MXW_ERR_CONF, "%s: is no regular file", path);
	else if (st.st_mode & 007)
		status = mxw__fail(err, MXW_ERR_CONF,
				   "%s: mode %04o lets every user read this secret; chmod 0640 or stricter", path,
				   (unsigned)(st.st_mode & 07777));
	else
		status = read_all(fd, path, SECRET_MAX, &data, &len, err);
	close(fd);
	if (status != MXW_OK)
		return status;
	size_t line = strcspn(data, "\r\n");
	mxw__wipe(data + line, len - line);
	if (line == 0) {
		free(data);
		return mxw__fail(err, MXW_ERR_CONF, "%s: the first line is empty, a secret was expected", path);
	}
	*ret_secret = data;
	return MXW_OK;
}

bool mxw__write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}
