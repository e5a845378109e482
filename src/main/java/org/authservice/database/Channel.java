package org.authservice.database;

import java.util.function.Consumer;

/**
 * What a node hears from others: each text that one {@linkplain Transaction#announce announces}
 * under the name.
 *
 * @param name an SQL identifier in lower case
 * @param heard is given each text; it must be quick
 */
public record Channel(String name, Consumer<String> heard) {}
