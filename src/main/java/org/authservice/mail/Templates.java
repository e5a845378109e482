package org.authservice.mail;

import com.samskivert.mustache.Mustache;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.authservice.secret.Secret;

/**
 * The texts of the mails: for each template a {@code .txt}, whose first line is the subject, and a
 * {@code .html} that is set into a common layout. Values are escaped in HTML.
 */
public final class Templates {
  private static final String FOLDER = "/mail/";

  private final String service;
  private final long codeMinutes;
  private final Map<Template, Compiled> compiled = new ConcurrentHashMap<>();

  private record Compiled(
      com.samskivert.mustache.Template text, com.samskivert.mustache.Template html) {}

  /**
   * The templates.
   *
   * @param service what the service calls itself, such as its public host
   * @param codeMinutes how long a code is good for
   */
  public Templates(String service, long codeMinutes) {
    this.service = service;
    this.codeMinutes = codeMinutes;
  }

  /** Fills a template. */
  public Letter render(Template template, Optional<Secret> code) {
    Compiled texts = compiled.computeIfAbsent(template, this::compile);
    Map<String, Object> values = new HashMap<>();
    values.put("service", service);
    values.put("minutes", codeMinutes);
    values.put("code", code.map(Secret::reveal).orElse(""));
    String text = texts.text().execute(values);
    int firstLine = text.indexOf('\n');
    values.put("subject", text.substring(0, firstLine));
    return new Letter(
        text.substring(0, firstLine).strip(),
        text.substring(firstLine + 1).strip() + "\n",
        texts.html().execute(values));
  }

  private Compiled compile(Template template) {
    String name = template.name().toLowerCase(Locale.ROOT).replace('_', '-');
    String layout = read("layout.html").replace("{{>content}}", read(name + ".html"));
    return new Compiled(
        Mustache.compiler().escapeHTML(false).compile(read(name + ".txt")),
        Mustache.compiler().escapeHTML(true).compile(layout));
  }

  private static String read(String file) {
    try (InputStream resource = Templates.class.getResourceAsStream(FOLDER + file)) {
      if (resource == null) {
        throw new IllegalStateException("no mail template " + file);
      }
      return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
