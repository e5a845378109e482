/** The database: three verbs over two engines, migrations, and the dialects' few differences. */
@NullMarked
package org.authservice.database;

import org.jspecify.annotations.NullMarked;
