package org.authservice.mail;

import com.samskivert.mustache.Mustache;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.authservice.secret.Secret;
import org.authservice.settings.MailSettings;
import org.authservice.settings.StartFailure;
import org.jspecify.annotations.Nullable;

/**
 * The texts of the mails. Each is one text file per language: its first line is the subject, then
 * come paragraphs, and a line of its own for the code. The HTML part is made from the same
 * paragraphs, set into a common layout, so that both parts say the same. Values are escaped.
 */
public final class Templates {
  private final TemplateFiles files;
  private final MailSettings.Look look;
  private final String brand;
  private final long codeMinutes;
  private final Map<Key, Compiled> compiled = new ConcurrentHashMap<>();

  private record Key(Template template, String language) {}

  private record Compiled(
      com.samskivert.mustache.Template text,
      com.samskivert.mustache.Template html,
      String direction) {}

  /**
   * The templates.
   *
   * @param host what the service calls itself when no brand is set
   * @param codeMinutes how long a code is good for
   * @throws StartFailure when the default language has no texts, or a file of the operator's cannot
   *     be used
   */
  public Templates(MailSettings.Look look, String host, long codeMinutes) {
    this.files = new TemplateFiles(look.templates());
    this.look = look;
    this.brand = look.brand().orElse(host);
    this.codeMinutes = codeMinutes;
    if (!files.languages().contains(look.language())) {
      throw new StartFailure(
          "MAIL_LANGUAGE: there are no mails in %s, but in %s; for example MAIL_LANGUAGE=en"
              .formatted(look.language(), String.join(", ", files.languages())));
    }
    if (look.templates().isPresent()) {
      new TemplateCheck(files, this).run();
    }
  }

  /** Fills a template in the first of these languages that there is (RFC 4647, section 3.4). */
  public Letter render(Template template, String languages, Optional<Secret> code) {
    String language = language(languages);
    Compiled texts = compiled.computeIfAbsent(new Key(template, language), this::compile);
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("brand", brand);
    values.put("support", look.support().orElse(""));
    values.put("logo", look.logo().orElse(""));
    values.put("colour", look.colour());
    values.put("lang", language);
    values.put("dir", texts.direction());
    values.put("minutes", codeMinutes);
    values.put("code", code.map(Secret::reveal).orElse(""));
    values.put("heading", "");
    String text = texts.text().execute(values);
    int firstLine = text.indexOf('\n');
    String subject = text.substring(0, firstLine).strip();
    if (!template.carriesCode()) {
      values.put("heading", subject);
    }
    return new Letter(
        subject,
        text.substring(firstLine + 1).strip() + "\n",
        texts.html().execute(values),
        language);
  }

  /** The language that comes of such preferences. */
  String language(String languages) {
    if (!languages.isEmpty()) {
      try {
        String tag = Locale.lookupTag(Locale.LanguageRange.parse(languages), files.languages());
        if (tag != null) {
          // The look-up answers in lower case.
          return files.languages().stream()
              .filter(tag::equalsIgnoreCase)
              .findFirst()
              .orElse(look.language());
        }
      } catch (IllegalArgumentException notLanguages) {
        return look.language();
      }
    }
    return look.language();
  }

  private Compiled compile(Key key) {
    String source = files.read(key.language() + "/" + key.template().fileName() + ".txt").strip();
    String footer = files.read(key.language() + "/footer.txt").strip();
    String body = source.substring(source.indexOf('\n') + 1);
    String layout =
        files
            .read(TemplateFiles.LAYOUT)
            .replace("{{>content}}", Markup.paragraphs(body))
            .replace("{{>footer}}", Markup.sentence(footer));
    return new Compiled(
        Mustache.compiler()
            .escapeHTML(false)
            .emptyStringIsFalse(true)
            .compile(source + "\n\n" + footer + "\n"),
        Mustache.compiler().escapeHTML(true).emptyStringIsFalse(true).compile(layout),
        Markup.direction(footer));
  }

  /** The languages there are. */
  public List<String> languages() {
    return List.copyOf(files.languages());
  }
}
