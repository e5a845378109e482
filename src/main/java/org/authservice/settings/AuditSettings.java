package org.authservice.settings;

import java.time.Duration;

/**
 * The record of security events.
 *
 * @param kept {@code AUDIT_RETENTION_DAYS}, how long an event is kept
 */
public record AuditSettings(Duration kept) {}
