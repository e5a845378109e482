/**
 * Signing in with OpenID providers such as Google: flows through a browser, ID tokens from native
 * apps, linking, and the codes by which apps collect a sign-in.
 */
@NullMarked
package org.authservice.oidc;

import org.jspecify.annotations.NullMarked;
