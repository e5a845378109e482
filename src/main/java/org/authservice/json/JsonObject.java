package org.authservice.json;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object: members in the order they were put. Values are {@code null}, {@link String},
 * {@link Boolean}, {@link Long}, {@link java.math.BigDecimal}, {@link java.util.List} or {@link
 * JsonObject}; when written, an {@link Integer} is welcome too and anything else is a bug.
 */
public final class JsonObject {
  private final Map<String, @Nullable Object> members = new LinkedHashMap<>();

  /** An object without members. */
  public static JsonObject empty() {
    return new JsonObject();
  }

  /** An object with one member, to go on from with {@link #put}. */
  public static JsonObject of(String name, @Nullable Object value) {
    return new JsonObject().put(name, value);
  }

  /** Adds or replaces a member and returns this object. */
  public JsonObject put(String name, @Nullable Object value) {
    members.put(name, value);
    return this;
  }

  /** The member's value, {@code null} when it is JSON null or absent (see {@link #has}). */
  public @Nullable Object get(String name) {
    return members.get(name);
  }

  /** Whether the member is there, be it null. */
  public boolean has(String name) {
    return members.containsKey(name);
  }

  /** All members, in order; a view that cannot be changed. */
  public Map<String, @Nullable Object> members() {
    return Collections.unmodifiableMap(members);
  }

  @Override
  public String toString() {
    return "JsonObject" + members.keySet();
  }
}
