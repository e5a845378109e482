/**
 * The use cases that compose accounts, passwords, codes and sessions: register, log in, verify,
 * reset, change, leave.
 */
@NullMarked
package org.authservice.signin;

import org.jspecify.annotations.NullMarked;
