package org.authservice.audit;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.settings.AlarmSettings;
import org.jspecify.annotations.Nullable;

/**
 * Posts alarms as the Standard Webhooks specification 1.0 says: {@code webhook-id}, {@code
 * webhook-timestamp} and {@code webhook-signature}, {@code v1,} with the base64 of an HMAC-SHA-256
 * over id, time and body. A receiver refuses old times and remembers ids, and so takes no replay.
 */
final class AlarmHook {
  private static final String ALGORITHM = "HmacSHA256";
  private static final String ENCODED = "whsec_";
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final AlarmSettings.Webhook webhook;
  private final Clock clock;
  private @Nullable HttpClient client;

  AlarmHook(AlarmSettings.Webhook webhook, Clock clock) {
    this.webhook = webhook;
    this.clock = clock;
  }

  /** How it was received. */
  sealed interface Outcome {
    /** Any 2xx. */
    record Taken() implements Outcome {}

    /** 410: nobody wants alarms there any more. */
    record Gone() implements Outcome {}

    /** To be tried again. */
    record Failed(String reason) implements Outcome {}
  }

  /** Posts one; waits five seconds at most. */
  Outcome post(String id, String payload) {
    String timestamp = Long.toString(clock.instant().getEpochSecond());
    HttpRequest request =
        HttpRequest.newBuilder(webhook.url())
            .timeout(PATIENCE)
            .header("Content-Type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", "v1," + signature(id + "." + timestamp + "." + payload))
            .POST(HttpRequest.BodyPublishers.ofString(payload))
            .build();
    CompletableFuture<HttpResponse<Void>> answer =
        client().sendAsync(request, HttpResponse.BodyHandlers.discarding());
    try {
      int status = answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS).statusCode();
      if (status == 410) {
        return new Outcome.Gone();
      }
      return status / 100 == 2 ? new Outcome.Taken() : new Outcome.Failed("status " + status);
    } catch (TimeoutException slow) {
      return new Outcome.Failed("no answer in time");
    } catch (ExecutionException failed) {
      return new Outcome.Failed(
          failed.getCause() instanceof IOException ? "not reachable" : failed.toString());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return new Outcome.Failed("interrupted");
    } finally {
      answer.cancel(true);
    }
  }

  private String signature(String signed) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(key(), ALGORITHM));
      return Base64.getEncoder()
          .encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("HmacSHA256 is not available", impossible);
    }
  }

  private byte[] key() {
    String secret = webhook.secret().reveal();
    return secret.startsWith(ENCODED)
        ? Base64.getDecoder().decode(secret.substring(ENCODED.length()))
        : webhook.secret().bytes();
  }

  /** Made when first used; a redirect is not followed, as the body is meant for this place only. */
  private synchronized HttpClient client() {
    HttpClient made = client;
    if (made == null) {
      made =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER)
              .connectTimeout(PATIENCE)
              .build();
      client = made;
    }
    return made;
  }
}
