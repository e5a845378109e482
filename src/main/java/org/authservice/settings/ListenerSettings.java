package org.authservice.settings;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Where the service listens and what it says of itself.
 *
 * @param host {@code HOST}
 * @param port {@code PORT}; 0 takes any free one
 * @param managementPort {@code MANAGEMENT_PORT}; empty when it is 0 (off)
 * @param publicBaseUrl {@code PUBLIC_BASE_URL}; empty: {@code http://localhost:} and the bound port
 * @param corsOrigins {@code BACKEND_CORS_ORIGINS}
 * @param slowRequest {@code SLOW_REQUEST_SECONDS}
 * @param shutdownDelay {@code SHUTDOWN_DELAY_SECONDS}
 * @param docs {@code DOCS_ENABLED}
 */
public record ListenerSettings(
    String host,
    int port,
    Optional<Integer> managementPort,
    Optional<URI> publicBaseUrl,
    List<String> corsOrigins,
    Duration slowRequest,
    Duration shutdownDelay,
    boolean docs) {}
