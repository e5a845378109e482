package org.authservice.settings;

/**
 * The declaration of one setting, from which {@code .env.example}, {@code bin/auth settings} and
 * the documentation are held in step.
 *
 * @param name the environment variable
 * @param fallback its default, as a person would write it; empty when there is none
 * @param example a valid value
 * @param meaning in one line
 * @param secret whether its value is never shown
 */
record Setting(String name, String fallback, String example, String meaning, boolean secret) {

  static Setting of(String name, String fallback, String example, String meaning) {
    return new Setting(name, fallback, example, meaning, false);
  }

  static Setting secret(String name, String fallback, String example, String meaning) {
    return new Setting(name, fallback, example, meaning, true);
  }
}
