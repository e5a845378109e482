package org.authservice.operations;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.authservice.database.Database;
import org.authservice.database.TracedDatabase;
import org.authservice.http.Answer;
import org.authservice.http.Filter;
import org.authservice.http.Handler;
import org.authservice.http.Request;
import org.authservice.settings.StartFailure;
import org.authservice.settings.TracingSettings;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Traces by OpenTelemetry's SDK, sent by OTLP over HTTP. Spans hold routes, statements' names and
 * outcomes: no path, address, account, code or token.
 */
final class OpenTelemetryTracing implements Tracing {
  private static final long CLOSE_SECONDS = 3;

  /** Not the baggage, which would pass what a stranger sent on to others. */
  private static final TextMapPropagator W3C = W3CTraceContextPropagator.getInstance();

  private final OpenTelemetrySdk sdk;
  private final Tracer tracer;

  private OpenTelemetryTracing(OpenTelemetrySdk sdk) {
    this.sdk = sdk;
    this.tracer = sdk.getTracer("org.authservice");
  }

  /**
   * Starts the SDK with the {@code OTEL_*} variables.
   *
   * @throws StartFailure when one of them is wrong
   */
  static OpenTelemetryTracing start(TracingSettings settings) {
    Map<String, String> properties = new HashMap<>();
    properties.put("otel.service.name", "auth-service");
    properties.put("otel.exporter.otlp.protocol", "http/protobuf");
    properties.put("otel.metrics.exporter", "none");
    properties.put("otel.logs.exporter", "none");
    settings
        .variables()
        .forEach((name, value) ->
            properties.put(name.toLowerCase(Locale.ROOT).replace('_', '.'), value));
    try {
      return new OpenTelemetryTracing(
          AutoConfiguredOpenTelemetrySdk.builder()
              .addPropertiesSupplier(() -> properties)
              .disableShutdownHook()
              .build()
              .getOpenTelemetrySdk());
    } catch (ConfigurationException wrong) {
      throw new StartFailure("OTEL_*: " + wrong.getMessage(), wrong);
    }
  }

  @Override
  public Filter around(Filter filter) {
    return (request, next) -> handle(request, it -> filter.handle(it, next));
  }

  private Answer handle(Request request, Handler next) {
    // An unknown method or path is anybody's text.
    String name = request.route().equals("-") ? "HTTP" : request.method() + " " + request.route();
    Span span =
        tracer
            .spanBuilder(name)
            .setParent(W3C.extract(Context.root(), request, new Headers()))
            .setSpanKind(SpanKind.SERVER)
            .setAttribute("http.request.method", request.method())
            .setAttribute("http.route", request.route())
            .setAttribute("auth.request_id", request.id())
            .startSpan();
    try (Scope _ = span.makeCurrent();
        MDC.MDCCloseable _ = MDC.putCloseable("trace_id", span.getSpanContext().getTraceId())) {
      Answer answer = next.handle(request);
      span.setAttribute("http.response.status_code", (long) answer.status());
      if (answer.status() >= 500) {
        span.setStatus(StatusCode.ERROR);
      }
      return answer;
    } finally {
      span.end();
    }
  }

  @Override
  public Database traced(Database database) {
    return new TracedDatabase(database, tracer);
  }

  @Override
  public <T, E extends Exception> T call(
      String name, Map<String, String> attributes, Call<T, E> call) throws E {
    SpanBuilder builder = tracer.spanBuilder(name).setSpanKind(SpanKind.CLIENT);
    attributes.forEach(builder::setAttribute);
    Span span = builder.startSpan();
    boolean returned = false;
    try (Scope _ = span.makeCurrent()) {
      Map<String, String> headers = new HashMap<>();
      W3C.inject(
          Context.current(),
          headers,
          (carrier, field, text) -> {
            if (carrier != null) {
              carrier.put(field, text);
            }
          });
      T value = call.send(headers);
      returned = true;
      return value;
    } finally {
      if (!returned) {
        span.setStatus(StatusCode.ERROR);
      }
      span.end();
    }
  }

  @Override
  public void close() {
    sdk.shutdown().join(CLOSE_SECONDS, TimeUnit.SECONDS);
  }

  /** Reads a request's header fields. */
  private record Headers() implements TextMapGetter<Request> {
    @Override
    public Iterable<String> keys(Request request) {
      return request.headers().keySet();
    }

    @Override
    public @Nullable String get(@Nullable Request request, String name) {
      return request == null ? null : request.header(name).orElse(null);
    }
  }
}
