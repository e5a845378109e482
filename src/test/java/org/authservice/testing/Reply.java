package org.authservice.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.util.Optional;

/** An answer of the service, as a client sees it. */
public record Reply(HttpResponse<String> http) {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** The status. */
  public int status() {
    return http.statusCode();
  }

  /** The body, parsed. */
  public JsonNode json() {
    try {
      return MAPPER.readTree(http.body());
    } catch (IOException notJson) {
      throw new UncheckedIOException(http.body(), notJson);
    }
  }

  /** A member of the body that is a text. */
  public String text(String member) {
    JsonNode value = json().path(member);
    assertThat(value.isMissingNode()).as("%s in %s", member, http.body()).isFalse();
    return value.asText();
  }

  /** A header field. */
  public Optional<String> header(String name) {
    return http.headers().firstValue(name);
  }

  /** Asserts the status and returns this. */
  public Reply expect(int status) {
    assertThat(status()).as(http.body()).isEqualTo(status);
    return this;
  }

  /** Asserts that this is the problem of that code. */
  public Reply expect(int status, String code) {
    expect(status);
    assertThat(header("Content-Type")).contains("application/problem+json");
    assertThat(text("code")).isEqualTo(code);
    assertThat(text("request_id")).isEqualTo(header("X-Request-ID").orElseThrow());
    return this;
  }

  @Override
  public String toString() {
    return status() + " " + http.body();
  }
}
