export { PasswordPage } from './PasswordPage'
export { SetupPage } from './SetupPage'
export { SignInPage } from './SignInPage'
