package org.authservice.http;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.PreEncodedHttpField;

/** Header fields as Jetty writes them. Those that hardly ever differ are encoded once. */
final class HeaderFields {
  private static final Set<String> STEADY =
      Set.of(
          "Cache-Control",
          "Content-Security-Policy",
          "Content-Type",
          "Referrer-Policy",
          "Strict-Transport-Security",
          "Vary",
          "X-Content-Type-Options",
          "X-Frame-Options",
          "X-XSS-Protection");

  private final Map<String, HttpField> encoded = new ConcurrentHashMap<>();

  /** Adds what an answer has to fields that are still empty, save for the date. */
  void add(Rendering.Rendered rendered, HttpFields.Mutable fields) {
    rendered.eachField((name, value) -> fields.add(field(name, value)));
    if (rendered.status() != 204 && rendered.status() != 304) {
      fields.add(HttpHeader.CONTENT_LENGTH, rendered.content().length);
    }
  }

  private HttpField field(String name, String value) {
    if (!STEADY.contains(name)) {
      return new HttpField(name, value);
    }
    HttpField known = encoded.get(name);
    if (known == null) {
      known = new PreEncodedHttpField(name, value);
      encoded.put(name, known);
    }
    return value.equals(known.getValue()) ? known : new HttpField(name, value);
  }
}
