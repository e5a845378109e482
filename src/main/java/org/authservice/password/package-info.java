/** Passwords: which are accepted, how they are hashed and compared. */
@NullMarked
package org.authservice.password;

import org.jspecify.annotations.NullMarked;
