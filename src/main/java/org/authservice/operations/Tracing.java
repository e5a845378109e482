package org.authservice.operations;

import java.util.Map;
import org.authservice.database.Database;
import org.authservice.http.Filter;
import org.authservice.settings.TracingSettings;

/**
 * Traces of requests, of the statements they run, and of what is sent to mail servers and
 * providers. While they are off, nothing of OpenTelemetry is loaded.
 */
public sealed interface Tracing extends AutoCloseable permits NoTracing, OpenTelemetryTracing {

  /** Traces as the settings say. */
  static Tracing of(TracingSettings settings) {
    return settings.on() ? OpenTelemetryTracing.start(settings) : new NoTracing();
  }

  /** What is traced of a call to another server. */
  @FunctionalInterface
  interface Call<T, E extends Exception> {
    /**
     * Calls it.
     *
     * @param headers what tells the other server which trace this belongs to (W3C Trace Context)
     */
    T send(Map<String, String> headers) throws E;
  }

  /** The filter, and around it one span per request, named by method and route. */
  Filter around(Filter filter);

  /** The database, with a span per statement inside requests. */
  Database traced(Database database);

  /**
   * A call to another server.
   *
   * @param name of the span; no address, code or token
   * @param attributes what is known before it
   */
  <T, E extends Exception> T call(String name, Map<String, String> attributes, Call<T, E> call)
      throws E;

  /** Sends what is left, for a few seconds at most. */
  @Override
  void close();
}
