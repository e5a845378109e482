package org.authservice.settings;

/**
 * The log.
 *
 * @param level {@code LOG_LEVEL}, as Logback names it
 * @param json whether {@code LOG_FORMAT} is {@code json}
 */
public record LogSettings(String level, boolean json) {}
