package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser.NewPageOptions;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.authservice.secret.Secret;
import org.authservice.settings.MailSettings;
import org.authservice.testing.Browser;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every mail in every language, light and dark, wide and narrow, as a picture in {@code
 * target/screenshots}, with a page {@code index.html} of all; {@code bin/screenshots} makes them
 * too. Measures what an eye may miss: contrast, and what does not fit.
 */
@Tag("soak")
class ScreenshotsTest {
  private static final Path FOLDER = Path.of("target/screenshots");
  private static final int WIDE = 640;
  private static final int NARROW = 320;

  // WCAG 2.2, 1.4.3: of every element with text of its own, against the nearest background.
  private static final String LEAST_CONTRAST =
      """
      () => {
        const rgb = text => text.match(/[0-9.]+/g).map(Number);
        const light = c => c.slice(0, 3).map(v => v / 255)
          .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
          .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = e => {
          for (; e; e = e.parentElement) {
            const c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length === 3 || c[3] > 0) return c;
          }
          return [255, 255, 255];
        };
        const texts = [...document.body.querySelectorAll('*')].filter(e =>
          [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
        return Math.min(...texts.map(e => {
          const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        }));
      }
      """;

  @Test
  void everyMailCanBeReadInEveryLanguageLightAndDarkWideAndNarrow() throws IOException {
    Files.createDirectories(FOLDER);
    var templates =
        new Templates(
            new MailSettings.Look(
                Optional.of("Example School"),
                Optional.empty(),
                "rgb(59, 91, 219)",
                Optional.of("help@example.com"),
                "en",
                Optional.empty()),
            "auth.example.com",
            10);
    List<String> pictures = new ArrayList<>();
    try (var browser = new Browser()) {
      for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
        for (int width : List.of(WIDE, NARROW)) {
          Page page =
              browser.page(new NewPageOptions().setViewportSize(width, 400).setColorScheme(scheme));
          for (String language : templates.languages()) {
            for (Template template : Template.values()) {
              Letter letter =
                  templates.render(template, language, Optional.of(Secret.of("012345")));
              page.setContent(letter.html());
              String picture =
                  "%s-%s-%s-%d.png"
                      .formatted(
                          language,
                          template.fileName(),
                          scheme.name().toLowerCase(java.util.Locale.ROOT),
                          width);
              pictures.add(picture);
              page.screenshot(
                  new Page.ScreenshotOptions().setPath(FOLDER.resolve(picture)).setFullPage(true));
              assertReadable(page, picture, language);
            }
          }
          page.close();
        }
      }
    }
    Files.writeString(FOLDER.resolve("index.html"), index(pictures));
    System.out.println(pictures.size() + " pictures in " + FOLDER.toAbsolutePath());
  }

  private static void assertReadable(Page page, String picture, String language) {
    assertThat(((Number) page.evaluate(LEAST_CONTRAST)).doubleValue())
        .as("contrast in %s", picture)
        .isGreaterThanOrEqualTo(4.5);
    assertThat(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))
        .as("%s fits its width", picture)
        .isEqualTo(true);
    assertThat(page.evaluate("() => getComputedStyle(document.querySelector('p')).direction"))
        .as("direction of %s", picture)
        .isEqualTo(language.equals("ar") ? "rtl" : "ltr");
    if (page.locator(".code").count() > 0) {
      assertThat(page.evaluate("() => getComputedStyle(document.querySelector('.code')).direction"))
          .isEqualTo("ltr");
      assertThat(page.locator(".code").boundingBox().height).as("one line").isLessThan(80);
    }
  }

  private static String index(List<String> pictures) {
    var html = new StringBuilder("<!doctype html><meta charset=utf-8><title>Mails</title>");
    for (String picture : pictures) {
      html.append(
              "<figure style=\"display:inline-block;margin:8px;vertical-align:top\"><img src=\"")
          .append(picture)
          .append("\" alt=\"\"><figcaption>")
          .append(picture)
          .append("</figcaption></figure>\n");
    }
    return html.toString();
  }
}
