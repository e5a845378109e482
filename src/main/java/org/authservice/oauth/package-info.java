/** What resource servers ask: whether a token is good (RFC 7662), and to end one (RFC 7009). */
@NullMarked
package org.authservice.oauth;

import org.jspecify.annotations.NullMarked;
