/** The contract, its readers' pages and the error catalogue; every asset is local. */
@NullMarked
package org.authservice.docs;

import org.jspecify.annotations.NullMarked;
