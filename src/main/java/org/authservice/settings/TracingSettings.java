package org.authservice.settings;

import java.util.Map;

/**
 * Traces.
 *
 * @param on whether there is somewhere to send them to
 * @param variables all {@code OTEL_*}, which OpenTelemetry's SDK reads
 */
public record TracingSettings(boolean on, Map<String, String> variables) {
  /** What the names of all these variables begin with. */
  static final String PREFIX = "OTEL_";

  /** Headers of the exporter may hold a key. */
  @Override
  public String toString() {
    return "TracingSettings[on=" + on + "]";
  }
}
