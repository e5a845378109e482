/** Every setting, typed and immutable, parsed once from the environment and {@code .env}. */
@NullMarked
package org.authservice.settings;

import org.jspecify.annotations.NullMarked;
