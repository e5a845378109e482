package org.authservice.docs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The contract, written as YAML and served as JSON. */
final class OpenApi {
  private static final String RESOURCE = "/openapi.yaml";

  private OpenApi() {}

  static byte[] json(String publicBaseUrl) {
    try (InputStream yaml = Objects.requireNonNull(OpenApi.class.getResourceAsStream(RESOURCE))) {
      Object document = new Load(LoadSettings.builder().build()).loadFromInputStream(yaml);
      if (!(json(document) instanceof JsonObject object)) {
        throw new IllegalStateException("openapi.yaml is no object");
      }
      object.put("servers", List.of(JsonObject.of("url", publicBaseUrl)));
      return Json.write(object);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private static @Nullable Object json(@Nullable Object yaml) {
    return switch (yaml) {
      case null -> null;
      case Map<?, ?> map -> {
        var object = JsonObject.empty();
        map.forEach((name, value) -> object.put(String.valueOf(name), json(value)));
        yield object;
      }
      case List<?> list -> list.stream().map(OpenApi::json).toList();
      case Double number -> BigDecimal.valueOf(number);
      default -> yaml;
    };
  }
}
