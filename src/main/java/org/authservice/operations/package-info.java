/** Running the service: background workers, health, metrics. */
@NullMarked
package org.authservice.operations;

import org.jspecify.annotations.NullMarked;
