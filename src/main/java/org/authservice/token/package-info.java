/** Access and refresh tokens (JWT, RFC 7519), and the revocations that end them everywhere. */
@NullMarked
package org.authservice.token;

import org.jspecify.annotations.NullMarked;
