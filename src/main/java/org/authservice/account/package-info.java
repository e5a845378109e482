/** Who exists: accounts, their addresses, names and states. */
@NullMarked
package org.authservice.account;

import org.jspecify.annotations.NullMarked;
