package org.authservice.http;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.eclipse.jetty.util.Fields;
import org.eclipse.jetty.util.UrlEncoded;

/**
 * The parameters of an {@code application/x-www-form-urlencoded} body, as OAuth's endpoints take
 * them (RFC 6749, appendix B). None may be given twice (section 3.2): two readers of one request
 * must not see different values.
 */
public final class Form {
  private static final String TYPE = "application/x-www-form-urlencoded";

  private final Map<String, String> parameters = new HashMap<>();

  private Form() {}

  /** Empty when the body is no such form, cannot be decoded, or gives a parameter twice. */
  static Optional<Form> of(Request request) {
    String type = request.header("content-type").orElse("").split(";", 2)[0].strip();
    if (!type.toLowerCase(Locale.ROOT).equals(TYPE)) {
      return Optional.empty();
    }
    var fields = new Fields(true);
    try {
      UrlEncoded.decodeUtf8To(new String(request.body(), StandardCharsets.UTF_8), fields);
    } catch (IllegalArgumentException undecodable) {
      return Optional.empty();
    }
    var form = new Form();
    for (Fields.Field field : fields) {
      if (field.getValues().size() > 1) {
        return Optional.empty();
      }
      form.parameters.put(field.getName(), field.getValue());
    }
    return Optional.of(form);
  }

  /** The parameter of that name; one without a value counts as not given (section 3.1). */
  public Optional<String> parameter(String name) {
    return Optional.ofNullable(parameters.get(name)).filter(value -> !value.isEmpty());
  }
}
