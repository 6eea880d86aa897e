"""Install media: ISO images, initrds, kernel arguments, kickstarts."""
