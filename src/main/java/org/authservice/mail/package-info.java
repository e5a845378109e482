/** Mail: an outbox filled in the transaction that needs it, a sender, templates. */
@NullMarked
package org.authservice.mail;

import org.jspecify.annotations.NullMarked;
