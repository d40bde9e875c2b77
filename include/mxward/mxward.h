/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mxward.h: all of libmxward's public interface.
 */
#ifndef MXWARD_MXWARD_H
#define MXWARD_MXWARD_H

#include <mxward/clock.h>
#include <mxward/conf.h>
#include <mxward/dns.h>
#include <mxward/fact.h>
#include <mxward/net.h>
#include <mxward/policy.h>
#include <mxward/recipient.h>
#include <mxward/session.h>
#include <mxward/status.h>
#include <mxward/track.h>

#endif
