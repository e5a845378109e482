/** JSON values as plain Java values, read strictly (RFC 8259) and written compactly. */
@NullMarked
package org.authservice.json;

import org.jspecify.annotations.NullMarked;
