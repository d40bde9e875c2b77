/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "src/session/engine.h"

const struct mxw__part mxw__part_store = {
	.name = "store",
};
