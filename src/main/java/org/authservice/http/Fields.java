package org.authservice.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.authservice.http.Problem.FieldError;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;
import org.authservice.json.MalformedJson;
import org.jspecify.annotations.Nullable;

/**
 * The members of a JSON body, read one by one. Every wrong one is remembered and a stand-in
 * returned, so that {@link #verify} can tell them all at once; call it before using any value.
 */
public final class Fields {
  private final JsonObject object;
  private final List<FieldError> errors = new ArrayList<>();

  private Fields(JsonObject object) {
    this.object = object;
  }

  static Fields of(Request request) {
    if (!isJson(request.header("content-type").orElse(""))) {
      throw new InvalidRequest(Problem.of(ErrorCode.UNSUPPORTED_MEDIA_TYPE));
    }
    try {
      Json.Parsed parsed = Json.parse(request.body());
      if (!(parsed.value() instanceof JsonObject object)) {
        throw new InvalidRequest(
            ErrorCode.VALIDATION_FAILED,
            List.of(new FieldError("", "wrong_type", "The body must be a JSON object.")));
      }
      var fields = new Fields(object);
      parsed
          .repeated()
          .forEach(name -> fields.reject(name, "repeated", "Give this member only once."));
      fields.rejectUnstorableText("", object);
      return fields;
    } catch (MalformedJson malformed) {
      throw new InvalidRequest(
          Problem.of(
              ErrorCode.MALFORMED_JSON,
              "The body cannot be read as JSON: " + malformed.getMessage() + "."));
    }
  }

  /** A text that must be there and not be empty. */
  public String text(String name, int maxCodePoints) {
    Object value = object.get(name);
    if (value == null) {
      reject(name, "missing", "This member is required.");
      return "";
    }
    String text = string(name, value, maxCodePoints);
    if (text != null && text.isEmpty()) {
      reject(name, "empty", "This member must not be empty.");
    }
    return text == null ? "" : text;
  }

  /** A text that may be absent or null. */
  public Optional<String> optionalText(String name, int maxCodePoints) {
    Object value = object.get(name);
    return value == null
        ? Optional.empty()
        : Optional.ofNullable(string(name, value, maxCodePoints));
  }

  /** Whether the member is there, be it null. */
  public boolean has(String name) {
    return object.has(name);
  }

  /**
   * One of a few words.
   *
   * @param words what each word means
   * @param otherwise when the member is absent or null
   */
  public <T> T choice(String name, Function<String, Optional<T>> words, T otherwise) {
    Optional<String> text = optionalText(name, 100);
    if (text.isEmpty()) {
      return otherwise;
    }
    Optional<T> choice = words.apply(text.get());
    if (choice.isEmpty()) {
      reject(name, "invalid", "This is not one of the values that this member can have.");
    }
    return choice.orElse(otherwise);
  }

  /** Remembers that a field is wrong; a field's first error is the one that is told. */
  public void reject(String field, String code, String message) {
    if (errors.stream().noneMatch(error -> error.field().equals(field))) {
      errors.add(new FieldError(field, code, message));
    }
  }

  /**
   * Goes on only when every member read so far was right.
   *
   * @throws InvalidRequest 422 with all that were wrong
   */
  public void verify() {
    if (!errors.isEmpty()) {
      throw new InvalidRequest(ErrorCode.VALIDATION_FAILED, errors);
    }
  }

  private @Nullable String string(String name, Object value, int maxCodePoints) {
    if (!(value instanceof String text)) {
      reject(name, "wrong_type", "This member must be a string.");
      return null;
    }
    if (text.codePointCount(0, text.length()) > maxCodePoints) {
      reject(name, "too_long", "At most " + maxCodePoints + " characters are allowed.");
      return null;
    }
    return text;
  }

  // U+0000 ends strings in native code and PostgreSQL refuses it; a lone surrogate has no UTF-8.
  private void rejectUnstorableText(String path, @Nullable Object value) {
    switch (value) {
      case String text when unstorable(text) ->
          reject(path, "invalid", "U+0000 and lone surrogates are not allowed.");
      case List<?> items -> items.forEach(item -> rejectUnstorableText(path, item));
      case JsonObject members ->
          members
              .members()
              .forEach((name, member) -> {
                if (unstorable(name)) {
                  reject(path, "invalid", "A member's name has U+0000 or a lone surrogate.");
                } else {
                  rejectUnstorableText(path.isEmpty() ? name : path + "." + name, member);
                }
              });
      case null, default -> {}
    }
  }

  private static boolean unstorable(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == 0) {
        return true;
      }
      if (Character.isSurrogate(c)) {
        if (!Character.isSupplementaryCodePoint(text.codePointAt(i))) {
          return true;
        }
        i++; // the other half
      }
    }
    return false;
  }

  private static boolean isJson(String contentType) {
    if (contentType.equals("application/json")) {
      return true;
    }
    String type = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    return type.equals("application/json")
        || (type.startsWith("application/") && type.endsWith("+json"));
  }
}
