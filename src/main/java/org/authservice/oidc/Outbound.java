package org.authservice.oidc;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.authservice.operations.Tracing;
import org.jspecify.annotations.Nullable;

/**
 * Calls to one provider. Each ends by the request's deadline, body included; no redirect is
 * followed, or a provider's answer could send us, with the client's secret, to where it likes; no
 * more than 256 KiB are read. Waiting happens on the caller's virtual thread: a provider that is
 * frozen holds a socket per waiting request, of which there are at most 64, and nothing else.
 */
final class Outbound {
  private static final int MAX_BYTES = 256 * 1024;
  private static final Duration CONNECT = Duration.ofSeconds(2);

  private final Semaphore places = new Semaphore(64);
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(CONNECT)
          .executor(Executors.newVirtualThreadPerTaskExecutor())
          .build();
  private final String provider;
  private final MeterRegistry meters;
  private final Tracing tracing;

  Outbound(String provider, MeterRegistry meters, Tracing tracing) {
    this.provider = provider;
    this.meters = meters;
    this.tracing = tracing;
  }

  /**
   * What a provider answered.
   *
   * @param body as UTF-8 text
   */
  record Received(int status, String contentType, String body) {
    /** The answer if its status is 200; a server's fault may pass, anything else will not. */
    Received ok(String what) throws ProviderFault {
      if (status >= 500 || status == 429) {
        throw ProviderFault.unavailable(what + ": status " + status, null);
      }
      if (status != 200) {
        throw ProviderFault.refused(what + ": status " + status);
      }
      return this;
    }
  }

  /** Reads a document. */
  Received get(URI uri, Map<String, String> headers, Deadline deadline) throws ProviderFault {
    var request = HttpRequest.newBuilder(uri).GET();
    headers.forEach(request::header);
    return traced("GET", request, deadline);
  }

  /** Sends a form. */
  Received post(URI uri, Map<String, List<String>> headers, String form, Deadline deadline)
      throws ProviderFault {
    var request = HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofString(form));
    headers.forEach((name, values) -> values.forEach(value -> request.header(name, value)));
    return traced("POST", request, deadline);
  }

  private Received traced(String method, HttpRequest.Builder request, Deadline deadline)
      throws ProviderFault {
    return tracing.call(
        method + " " + provider,
        Map.of("http.request.method", method),
        headers -> {
          headers.forEach(request::header);
          return send(request, deadline);
        });
  }

  private Received send(HttpRequest.Builder request, Deadline deadline) throws ProviderFault {
    long start = System.nanoTime();
    String outcome = "failed";
    try {
      if (!places.tryAcquire(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
        outcome = "crowded";
        throw ProviderFault.unavailable("too many calls are waiting", null);
      }
      try {
        Received received = await(request, deadline);
        outcome = "answered";
        return received;
      } finally {
        places.release();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw ProviderFault.unavailable("interrupted", interrupted);
    } finally {
      meters
          .timer("auth.provider.calls", "provider", provider, "outcome", outcome)
          .record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    }
  }

  // The client's own time-out ends with the headers; this one covers the body too.
  private Received await(HttpRequest.Builder request, Deadline deadline)
      throws ProviderFault, InterruptedException {
    var limit = deadline.left();
    CompletableFuture<HttpResponse<byte[]>> future =
        client.sendAsync(request.timeout(limit).build(), info -> new Limited());
    try {
      HttpResponse<byte[]> response = future.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      return new Received(
          response.statusCode(),
          response.headers().firstValue("content-type").orElse(""),
          new String(response.body(), StandardCharsets.UTF_8));
    } catch (TimeoutException slow) {
      throw ProviderFault.unavailable("no answer in time", slow);
    } catch (ExecutionException failed) {
      for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
        if (cause instanceof TooMuch) {
          throw ProviderFault.refused("more than " + MAX_BYTES + " bytes");
        }
      }
      throw ProviderFault.unavailable(String.valueOf(failed.getCause()), failed);
    } finally {
      future.cancel(true);
    }
  }

  /** The body is larger than anything we ask for. */
  private static final class TooMuch extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Collects a body up to the limit. */
  private static final class Limited implements HttpResponse.BodySubscriber<byte[]> {
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private Flow.@Nullable Subscription subscription;

    @Override
    public CompletionStage<byte[]> getBody() {
      return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
      for (ByteBuffer buffer : buffers) {
        if (bytes.size() + buffer.remaining() > MAX_BYTES) {
          if (subscription != null) {
            subscription.cancel();
          }
          body.completeExceptionally(new TooMuch());
          return;
        }
        byte[] chunk = new byte[buffer.remaining()];
        buffer.get(chunk);
        bytes.writeBytes(chunk);
      }
    }

    @Override
    public void onError(Throwable failure) {
      body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
      body.complete(bytes.toByteArray());
    }
  }
}
