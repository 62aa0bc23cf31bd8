//! The fixed texts.

/// A text without parts that change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented by its text")]
pub enum Text {
    Product,
    Slogan,
    Loading,
    SkipToComposer,
    NameLabel,
    NameHint,
    Enter,
    Entering,
    NameInvalid,
    Rooms,
    MyRooms,
    OtherRooms,
    PrivateMessages,
    NoOtherRooms,
    NewRoom,
    RoomNameLabel,
    RoomNameHint,
    RoomNameInvalid,
    Create,
    Join,
    LeaveRoom,
    BackToRooms,
    NoRoomChosen,
    NoRoomChosenHint,
    Joining,
    RoomMissingHint,
    CreateIt,
    RoomClosedHint,
    People,
    PeopleHere,
    ShowPeople,
    You,
    AlonePeople,
    WritePrivately,
    Private,
    Messages,
    EmptyRoom,
    EmptyPrivate,
    FurtherUp,
    NewMessages,
    Today,
    Yesterday,
    MessageLabel,
    Send,
    Queued,
    Sending,
    Retry,
    Copy,
    Copied,
    Discard,
    Connection,
    Connected,
    Connecting,
    Disconnected,
    Ended,
    ReconnectNow,
    TryingNow,
    ConnectionLost,
    KeptMeanwhile,
    EndLeft,
    EndSignIn,
    EndReload,
    EndTooMany,
    EndReplaced,
    EndDisabled,
    EndTooBig,
    SignInAgain,
    Reload,
    ConnectAgain,
    SignedOut,
    Unreachable,
    OutboxFull,
    NotKept,
    ResyncEpoch,
    ResyncPruned,
    ResyncUnknown,
    Settings,
    Language,
    Colours,
    ThemeSystem,
    ThemeLight,
    ThemeDark,
    SignOut,
    SignOutHint,
    Close,
    NotFound,
    NotFoundHint,
    GoHome,
}

impl Text {
    /// Korean, English.
    #[expect(clippy::too_many_lines, reason = "a table, one text a line")]
    pub(super) fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::Product => ("마당", "Madang"),
            Self::Slogan => (
                "모두가 모이는 곳. 한마디도 잃지 않습니다.",
                "Where everyone meets. Not a word is lost.",
            ),
            Self::Loading => ("여는 중…", "Opening…"),
            Self::SkipToComposer => ("메시지 쓰기로 건너뛰기", "Skip to writing a message"),
            Self::NameLabel => ("이름", "Your name"),
            Self::NameHint => ("다른 사람에게 이렇게 보입니다.", "This is how others see you."),
            Self::Enter => ("들어가기", "Enter"),
            Self::Entering => ("들어가는 중…", "Entering…"),
            Self::NameInvalid => {
                ("이름은 한 줄, 1–40자여야 합니다.", "A name is one line of 1 to 40 characters.")
            }
            Self::Rooms => ("방", "Rooms"),
            Self::MyRooms => ("내 방", "My rooms"),
            Self::OtherRooms => ("다른 방", "Other rooms"),
            Self::PrivateMessages => ("둘만의 대화", "Private"),
            Self::NoOtherRooms => ("다른 방이 아직 없습니다.", "There are no other rooms yet."),
            Self::NewRoom => ("새 방", "New room"),
            Self::RoomNameLabel => ("방 이름", "Room name"),
            Self::RoomNameHint => (
                "소문자, 숫자, -, _ 로 64자까지. 누구나 볼 수 있습니다.",
                "Lower-case letters, digits, - and _, up to 64. Everybody can see it.",
            ),
            Self::RoomNameInvalid => (
                "방 이름에는 글자, 숫자, -, _ 만 쓸 수 있습니다.",
                "A room name has letters, digits, - and _ only.",
            ),
            Self::Create => ("만들기", "Create"),
            Self::Join => ("들어가기", "Join"),
            Self::LeaveRoom => ("방 나가기", "Leave the room"),
            Self::BackToRooms => ("방 목록으로", "Back to the rooms"),
            Self::NoRoomChosen => ("어느 방으로 갈까요?", "Which room?"),
            Self::NoRoomChosenHint => (
                "목록에서 방을 고르거나 새로 만드세요.",
                "Choose one from the list, or make a new one.",
            ),
            Self::Joining => ("방에 들어가는 중…", "Joining the room…"),
            Self::RoomMissingHint => (
                "이름을 확인하거나, 이 이름으로 방을 만드세요.",
                "Check the name, or make a room of this name.",
            ),
            Self::CreateIt => ("이 방 만들기", "Create it"),
            Self::RoomClosedHint => {
                ("이 방에는 들어갈 수 없습니다.", "This room cannot be joined.")
            }
            Self::People => ("사람들", "People"),
            Self::PeopleHere => ("지금 여기 있는 사람들", "People here now"),
            Self::ShowPeople => ("사람들 보기", "Show people"),
            Self::You => ("나", "you"),
            Self::AlonePeople => (
                "지금은 혼자입니다. 주소를 복사해 초대하세요.",
                "Only you are here. Copy the address to invite others.",
            ),
            Self::WritePrivately => ("둘만의 대화 열기", "Write privately"),
            Self::Private => ("둘만 볼 수 있습니다", "Only the two of you can see this"),
            Self::Messages => ("메시지", "Messages"),
            Self::EmptyRoom => (
                "아직 아무 말도 없습니다. 첫마디를 건네 보세요.",
                "Nothing has been said yet. Say the first word.",
            ),
            Self::EmptyPrivate => {
                ("둘만의 대화가 여기서 시작됩니다.", "Your private conversation begins here.")
            }
            Self::FurtherUp => (
                "이전 메시지가 더 있지만 지금은 화면에 두지 않습니다.",
                "There are older messages further up that are not shown right now.",
            ),
            Self::NewMessages => ("새 메시지", "New messages"),
            Self::Today => ("오늘", "Today"),
            Self::Yesterday => ("어제", "Yesterday"),
            Self::MessageLabel => ("메시지 쓰기", "Write a message"),
            Self::Send => ("보내기", "Send"),
            Self::Queued => ("연결되면 보냅니다", "Will be sent once connected"),
            Self::Sending => ("보내는 중…", "Sending…"),
            Self::Retry => ("다시 보내기", "Send again"),
            Self::Copy => ("복사", "Copy"),
            Self::Copied => ("복사됨", "Copied"),
            Self::Discard => ("버리기", "Discard"),
            Self::Connection => ("연결", "Connection"),
            Self::Connected => ("연결됨", "Connected"),
            Self::Connecting => ("연결 중…", "Connecting…"),
            Self::Disconnected => ("연결 끊김", "Not connected"),
            Self::Ended => ("연결 종료", "Connection ended"),
            Self::ReconnectNow => ("지금 다시 연결", "Reconnect now"),
            Self::TryingNow => ("다시 연결하는 중…", "Connecting again…"),
            Self::ConnectionLost => ("연결이 끊겼습니다.", "The connection is lost."),
            Self::KeptMeanwhile => (
                "쓰는 글은 보관했다가 연결되면 보냅니다.",
                "What you write is kept and sent once connected.",
            ),
            Self::EndLeft => ("서버에서 나왔습니다.", "You have left the server."),
            Self::EndSignIn => (
                "서버가 나를 더 이상 알아보지 못합니다. 이름을 다시 알려 주세요.",
                "The server no longer knows who you are. Tell it your name again.",
            ),
            Self::EndReload => (
                "서버가 새 판으로 바뀌었습니다. 쓰던 글은 그대로 남습니다.",
                "The server has a newer version. What you were writing stays.",
            ),
            Self::EndTooMany => (
                "다른 곳에서 너무 많이 접속하여 이 연결이 닫혔습니다.",
                "You are connected in too many places; this one was closed.",
            ),
            Self::EndReplaced => {
                ("다른 창이 이 연결을 넘겨받았습니다.", "Another window took this connection over.")
            }
            Self::EndDisabled => (
                "이 계정은 사용할 수 없습니다. 관리자에게 문의하세요.",
                "This account is disabled. Ask the administrator.",
            ),
            Self::EndTooBig => (
                "메시지가 너무 커서 서버가 연결을 닫았습니다.",
                "A message was too big and the server closed the connection.",
            ),
            Self::SignInAgain => ("다시 들어가기", "Enter again"),
            Self::Reload => ("새로 고침", "Reload"),
            Self::ConnectAgain => ("다시 연결", "Connect again"),
            Self::SignedOut => (
                "서버가 나를 잊었습니다. 이름을 다시 알려 주세요. 보내지 못한 글은 남아 있습니다.",
                "The server forgot who you are. Enter your name again; what was not sent is still here.",
            ),
            Self::Unreachable => (
                "서버에 닿지 않습니다. 잠시 뒤에 다시 해 보세요.",
                "The server cannot be reached. Try again in a moment.",
            ),
            Self::OutboxFull => (
                "보낼 메시지가 너무 많이 쌓였습니다. 연결된 뒤에 더 쓰세요.",
                "Too many messages wait for sending. Write more once connected.",
            ),
            Self::NotKept => (
                "이 브라우저가 저장을 막아, 새로 고치면 보내지 못한 글이 사라집니다.",
                "This browser keeps nothing: what is not sent is gone after a reload.",
            ),
            Self::ResyncEpoch => (
                "여기서부터 서버의 기록이 새로 시작되었습니다. 위의 메시지는 더 이상 서버에 없습니다.",
                "The server’s log began anew here. The messages above are no longer on the server.",
            ),
            Self::ResyncPruned => (
                "자리를 비운 사이의 일부 메시지가 더 이상 보관되지 않아 여기에 빠져 있습니다.",
                "Some messages from while you were away are no longer kept and are missing here.",
            ),
            Self::ResyncUnknown => {
                ("여기에 빠진 메시지가 있을 수 있습니다.", "Messages may be missing here.")
            }
            Self::Settings => ("설정", "Settings"),
            Self::Language => ("언어", "Language"),
            Self::Colours => ("색", "Colours"),
            Self::ThemeSystem => ("시스템", "System"),
            Self::ThemeLight => ("밝게", "Light"),
            Self::ThemeDark => ("어둡게", "Dark"),
            Self::SignOut => ("나가기", "Sign out"),
            Self::SignOutHint => (
                "보내지 못한 글과 내 방 목록이 이 브라우저에서 지워집니다.",
                "Unsent messages and your rooms are forgotten in this browser.",
            ),
            Self::Close => ("닫기", "Close"),
            Self::NotFound => ("이런 주소는 없습니다", "There is no such address"),
            Self::NotFoundHint => (
                "주소를 확인하거나 방 목록에서 시작하세요.",
                "Check the address, or start from the rooms.",
            ),
            Self::GoHome => ("방 목록으로", "To the rooms"),
        }
    }
}
