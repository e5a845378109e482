package org.authservice.mail;

import com.samskivert.mustache.MustacheException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.settings.StartFailure;

/**
 * Reads the operator's templates once, at the start: a mail that cannot be rendered, or that hides
 * its code, must not be found out by somebody who waits for it.
 */
final class TemplateCheck {
  static final Set<String> VALUES =
      Set.of("code", "minutes", "brand", "support", "lang", "dir", "colour", "logo", "heading");
  private static final int MOST_CHARACTERS = 65_536;
  private static final Pattern TAG = Pattern.compile("\\{\\{(.*?)}}");
  private static final Pattern PLAIN_TAG = Pattern.compile("[#^/]?\\s*([a-z]+)\\s*");
  private static final Pattern SIX_DIGITS = Pattern.compile("[0-9]{6}");
  private static final Pattern CODE = Pattern.compile("\\{\\{\\s*code\\s*}}");
  private static final Pattern LANGUAGE =
      Pattern.compile("[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?");

  private final TemplateFiles files;
  private final Templates templates;

  TemplateCheck(TemplateFiles files, Templates templates) {
    this.files = files;
    this.templates = templates;
  }

  /** Stops the start at the first bad file, naming it and the line. */
  void run() {
    files.overrides().forEach(this::check);
    for (String language : files.languages()) {
      if (!LANGUAGE.matcher(language).matches()) {
        throw fault(
            files.path(language), 1, "the folder's name is no language, such as fr or pt-BR");
      }
      for (Template template : Template.values()) {
        requirePresent(language + "/" + template.fileName() + ".txt");
        rendered(template, language);
      }
      requirePresent(language + "/footer.txt");
    }
  }

  private void check(Path override) {
    String file = override.toString().replace('\\', '/');
    Path path = files.path(file);
    if (!known(file)) {
      throw fault(path, 1, "no mail is made from a file of this name");
    }
    String text;
    try {
      text = files.read(file);
    } catch (UncheckedIOException notText) {
      throw fault(path, 1, "it cannot be read as UTF-8");
    }
    if (text.length() > MOST_CHARACTERS) {
      throw fault(path, 1, "it is longer than 64 KiB");
    }
    checkLines(path, text, file.equals(TemplateFiles.LAYOUT));
    Arrays.stream(Template.values())
        .filter(template -> file.endsWith("/" + template.fileName() + ".txt"))
        .forEach(template -> checkShape(path, text, template));
  }

  private boolean known(String file) {
    return file.equals(TemplateFiles.LAYOUT)
        || file.matches("[^/]+/footer\\.txt")
        || Arrays.stream(Template.values())
            .anyMatch(it -> file.matches("[^/]+/" + it.fileName() + "\\.txt"));
  }

  private static void checkLines(Path path, String text, boolean layout) {
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      Matcher tags = TAG.matcher(lines[i]);
      while (tags.find()) {
        String tag = tags.group(1);
        boolean part = layout && (tag.equals(">content") || tag.equals(">footer"));
        Matcher plain = PLAIN_TAG.matcher(tag);
        // Also keeps out {{{x}}} and {{&x}}, which escape nothing, and partials, which read files.
        if (!part && (!plain.matches() || !VALUES.contains(plain.group(1)))) {
          throw fault(path, i + 1, "there is no value {{" + tag + "}}; values: " + VALUES);
        }
      }
      if (!layout && SIX_DIGITS.matcher(lines[i]).find()) {
        throw fault(path, i + 1, "six digits in a row would be taken for a code");
      }
    }
  }

  private static void checkShape(Path path, String text, Template template) {
    int end = text.indexOf('\n');
    String subject = end < 0 ? text : text.substring(0, end);
    if (subject.isBlank() || subject.length() > 200) {
      throw fault(path, 1, "the first line is the subject, at most 200 characters");
    }
    if (end < 0 || text.substring(end).isBlank()) {
      throw fault(path, 2, "there is no text under the subject");
    }
    long inSubject = CODE.matcher(subject).results().count();
    long inText = CODE.matcher(text.substring(end)).results().count();
    long wanted = template.carriesCode() ? 1 : 0;
    if (inSubject != wanted) {
      throw fault(path, 1, "the subject must hold {{code}} " + times(wanted));
    }
    if (inText != wanted) {
      throw fault(path, 2, "the text must hold {{code}} " + times(wanted));
    }
  }

  private static String times(long wanted) {
    return wanted == 1 ? "once" : "nowhere: this mail has no code";
  }

  private void requirePresent(String file) {
    if (!files.has(file)) {
      throw fault(files.path(file), 1, "the file is missing; a new language needs every mail");
    }
  }

  private void rendered(Template template, String language) {
    try {
      templates.render(template, language, Optional.empty());
    } catch (MustacheException broken) {
      throw new StartFailure(
          "MAIL_TEMPLATES_DIR: %s: %s"
              .formatted(
                  files.path(language + "/" + template.fileName() + ".txt"), broken.getMessage()),
          broken);
    }
  }

  private static StartFailure fault(Path path, int line, String what) {
    return new StartFailure("MAIL_TEMPLATES_DIR: %s, line %d: %s".formatted(path, line, what));
  }
}
