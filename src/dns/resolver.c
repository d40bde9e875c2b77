/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "src/dns/dns.h"

void mxw_resolver_init(mxw_resolver_t *resolver, const struct mxw_resolver_ops *ops)
{
	resolver->ops = ops;
	resolver->refs = 1;
}

mxw_resolver_t *mxw_resolver_ref(mxw_resolver_t *resolver)
{
	__atomic_fetch_add(&resolver->refs, 1, __ATOMIC_RELAXED);
	return resolver;
}

void mxw_resolver_unref(mxw_resolver_t *resolver)
{
	if (resolver && __atomic_fetch_sub(&resolver->refs, 1, __ATOMIC_ACQ_REL) == 1)
		resolver->ops->destroy(resolver);
}

mxw_dns_answer_t *mxw_resolver_ask(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
				   int64_t deadline_ms, struct mxw_dns_budget *budget)
{
	return resolver->ops->ask(resolver, name, type, deadline_ms, budget);
}

void mxw_resolver_prefetch(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
			   struct mxw_dns_budget *budget)
{
	resolver->ops->prefetch(resolver, name, type, budget);
}
