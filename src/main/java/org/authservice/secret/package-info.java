/** Secrets: values that never show themselves, randomness, keys derived from the one secret key. */
@NullMarked
package org.authservice.secret;

import org.jspecify.annotations.NullMarked;
