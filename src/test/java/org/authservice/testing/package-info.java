/** What tests share. */
@NullMarked
package org.authservice.testing;

import org.jspecify.annotations.NullMarked;
