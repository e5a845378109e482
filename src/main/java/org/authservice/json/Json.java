package org.authservice.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads and writes JSON text (RFC 8259). */
public final class Json {
  /** Deeper nesting than any of our bodies has is refused before it costs anything. */
  public static final int MAX_DEPTH = 32;

  private static final char REPLACEMENT = '\uFFFD';

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNumberLength(100)
                  .build())
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          // By default a thread keeps its buffers, and a virtual thread would make them anew each
          // time.
          .recyclerPool(JsonRecyclerPools.newConcurrentDequePool())
          .build();

  private Json() {}

  /** A parsed value, and the paths of the members that were given more than once in one object. */
  public record Parsed(@Nullable Object value, Set<String> repeated) {}

  /**
   * Reads exactly one value from UTF-8 text.
   *
   * @throws MalformedJson when the text is empty, not UTF-8, not JSON, nested deeper than {@link
   *     #MAX_DEPTH}, or followed by anything but white space
   */
  public static Parsed parse(byte[] utf8) throws MalformedJson {
    try (JsonParser parser = FACTORY.createParser(decoded(utf8))) {
      if (parser.nextToken() == null) {
        throw new MalformedJson("the body is empty");
      }
      Set<String> repeated = new LinkedHashSet<>();
      Object value = value(parser, "", repeated);
      if (parser.nextToken() != null) {
        throw new MalformedJson("text follows the JSON value");
      }
      return new Parsed(value, repeated);
    } catch (JsonProcessingException malformed) {
      var where = malformed.getLocation();
      throw new MalformedJson(
          where == null
              ? "not JSON"
              : "not JSON at line " + where.getLineNr() + ", column " + where.getColumnNr());
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /** The object as UTF-8 text without white space. */
  public static byte[] write(JsonObject object) {
    var out = new Written();
    try (JsonGenerator generator = FACTORY.createGenerator(out)) {
      write(generator, object);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return out.bytes;
  }

  /** Most texts come in one piece from Jackson's buffer, and are copied once. */
  private static final class Written extends OutputStream {
    private byte[] bytes = {};

    @Override
    public void write(byte[] from, int offset, int length) {
      int end = bytes.length;
      bytes = Arrays.copyOf(bytes, end + length);
      System.arraycopy(from, offset, bytes, end, length);
    }

    @Override
    public void write(int single) {
      write(new byte[] {(byte) single}, 0, 1);
    }
  }

  // Jackson replaces bad UTF-8 only sometimes; Java's decoder, told to report, never does. It is
  // slow, and asked only where a quick one found something to replace, or a replacement was sent.
  private static String decoded(byte[] utf8) throws MalformedJson {
    String text = new String(utf8, StandardCharsets.UTF_8);
    if (text.indexOf(REPLACEMENT) < 0) {
      return text;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException invalid) {
      throw new MalformedJson("the body is not valid UTF-8");
    }
  }

  private static @Nullable Object value(JsonParser parser, String path, Set<String> repeated)
      throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> object(parser, path, repeated);
      case START_ARRAY -> array(parser, path, repeated);
      case VALUE_STRING -> parser.getText();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case VALUE_NUMBER_INT -> integer(parser);
      case VALUE_NUMBER_FLOAT -> parser.getDecimalValue();
      default -> throw new IllegalStateException("no value starts with " + parser.currentToken());
    };
  }

  private static JsonObject object(JsonParser parser, String path, Set<String> repeated)
      throws IOException {
    var object = JsonObject.empty();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      String member = path.isEmpty() ? name : path + "." + name;
      if (object.has(name)) {
        repeated.add(member);
      }
      parser.nextToken();
      object.put(name, value(parser, member, repeated));
    }
    return object;
  }

  private static List<@Nullable Object> array(JsonParser parser, String path, Set<String> repeated)
      throws IOException {
    List<@Nullable Object> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(value(parser, path + "[" + items.size() + "]", repeated));
    }
    return items;
  }

  private static Object integer(JsonParser parser) throws IOException {
    BigDecimal number = parser.getDecimalValue();
    return number.precision() <= 18 ? number.longValueExact() : number;
  }

  private static void write(JsonGenerator generator, @Nullable Object value) throws IOException {
    switch (value) {
      case null -> generator.writeNull();
      case String text -> generator.writeString(text);
      case Boolean flag -> generator.writeBoolean(flag);
      case Long number -> generator.writeNumber(number);
      case Integer number -> generator.writeNumber(number);
      case BigDecimal number -> generator.writeNumber(number);
      case List<?> items -> {
        generator.writeStartArray();
        for (Object item : items) {
          write(generator, item);
        }
        generator.writeEndArray();
      }
      case JsonObject object -> {
        generator.writeStartObject();
        for (var member : object.members().entrySet()) {
          generator.writeFieldName(member.getKey());
          write(generator, member.getValue());
        }
        generator.writeEndObject();
      }
      default -> throw new IllegalArgumentException("not a JSON value: " + value.getClass());
    }
  }
}
