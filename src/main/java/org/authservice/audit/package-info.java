/** Security events: what happened to which account, from where, and how it ended. */
@NullMarked
package org.authservice.audit;

import org.jspecify.annotations.NullMarked;
