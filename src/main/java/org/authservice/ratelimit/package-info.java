/** Limits: who a client is, how often it may ask, how often a password may be guessed. */
@NullMarked
package org.authservice.ratelimit;

import org.jspecify.annotations.NullMarked;
