/**
 * Sessions: opened by a sign-in, kept alive by rotating refresh tokens, ended once for all nodes.
 */
@NullMarked
package org.authservice.session;

import org.jspecify.annotations.NullMarked;
