#pragma once

/* Organisations, keys and people as messages. All memory is of the arena of cx. */

#include <billingos/v1/common.pb-c.h>
#include <billingos/v1/organization_service.pb-c.h>

#include "base/ctx.h"
#include "base/status.h"
#include "domain/api_key.h"
#include "domain/member.h"
#include "domain/organization.h"

Billingos__V1__Organization *
organization_pb(struct ctx *cx, const struct organization *organization);
Billingos__V1__ApiKey *organization_pb_key(struct ctx *cx, const struct api_key *key);
Billingos__V1__IssuedApiKey *
organization_pb_issued(struct ctx *cx, const struct api_key *key, const char *secret);
Billingos__V1__Member *organization_pb_member(struct ctx *cx, const struct member *member);
Billingos__V1__Invitation *
organization_pb_invitation(struct ctx *cx, const struct invitation *invitation);

/* "key_..." -> API_KEY and so on. */
Billingos__V1__Actor *organization_pb_actor(struct ctx *cx, const char *actor, const char *name);
Billingos__V1__Mode organization_pb_mode(bool live);

/* A set of scopes, written out. */
void organization_pb_scopes(struct ctx *cx, uint64_t scopes, size_t *ret_count, char ***ret_scopes);

/* Texts for people: limits in characters, not bytes. */
struct status organization_pb_check_letters(
    struct ctx *cx, const char *field, const char *text, size_t min, size_t max) MUST_CHECK;
struct status
organization_pb_check_email(struct ctx *cx, const char *field, const char *email) MUST_CHECK;
struct status organization_pb_read_role(
    struct ctx *cx, const char *field, Billingos__V1__MemberRole role, enum member_role *ret_role)
    MUST_CHECK;
