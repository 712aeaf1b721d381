"""Every address of the service."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from wagtail.admin import urls as newsroom
from wagtail.documents import urls as documents

from resguardo_server.pages import members, mine, openid, people, protection, tell, witness

urlpatterns: list[URLPattern | URLResolver] = [
    path("", tell.home, name="home"),
    # Wagtail's own sign-in would let a password alone in: it is replaced by ours.
    path("edit/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("edit/", include(newsroom)),
    path("documents/", include(documents)),
    path("witness/<slug:slug>/add-checkpoint", witness.add_checkpoint, name="add_checkpoint"),
    re_path(r"^witness/(?P<slug>[-\w]+)/(?P<origin>[0-9a-f]{64})/checkpoint$", witness.checkpoint),
    path("i18n/", include("django.conf.urls.i18n")),
    path("enter/", RedirectView.as_view(pattern_name="account_login", query_string=True), name="enter"),
    path("enter/sessions/", RedirectView.as_view(pattern_name="my_sessions"), name="usersessions_list"),
    path("people/", people.people, name="people"),
    path("people/<uuid:subject>/", people.person, name="person"),
    path("people/<uuid:subject>/open/", people.open_groups, name="person_open"),
    path("people/<uuid:subject>/correct/", people.correct, name="person_correct"),
    path("people/<uuid:subject>/withdraw/<int:number>/", people.withdraw, name="person_withdraw"),
    path("people/<uuid:subject>/erase/", people.erase, name="person_erase"),
    path("people/<uuid:subject>/receipt/", people.receipt, name="person_receipt"),
    path("people/<uuid:subject>/emergency/", people.emergency, name="person_emergency"),
    path("enter/oidc/<slug:provider_id>/login/", openid.begin, name="openid_connect_login"),
    path("enter/oidc/<slug:provider_id>/login/callback/", openid.come_back, name="openid_connect_callback"),
    path("enter/", include("allauth.urls")),
    path("me/", members.my_account, name="my_account"),
    path("me/sessions/", members.my_sessions, name="my_sessions"),
    path("r/<str:code>", mine.arrive),
    path("r/<str:code>/", mine.arrive, name="receipt"),
    path("mine/", mine.first, name="mine"),
    path("mine/enter/", mine.enter, name="mine_enter"),
    path("mine/seen/", mine.seen, name="mine_seen"),
    path("mine/allow/<str:key>/", mine.allow, name="mine_allow"),
    path("mine/ask/<str:right>/", mine.ask, name="mine_ask"),
    path("mine/requests/<uuid:request_id>/", mine.request_page, name="mine_request"),
    path("mine/copy/", mine.copy, name="mine_copy"),
    path("leave", mine.leave, name="leave"),
    path("leave/", mine.leave),
    path("leave/days/", mine.days, name="days"),
    path("protection/", protection.agenda, name="protection"),
    path("protection/alarms/<int:alarm>/seen/", protection.seen, name="protection_seen"),
    path("protection/endings/", protection.endings, name="protection_endings"),
    path("protection/requests/", protection.requests, name="protection_requests"),
    path("protection/requests/new/", protection.new_request, name="protection_new"),
    path("protection/requests/<uuid:number>/", protection.one_request, name="protection_request"),
    path("protection/requests/<uuid:number>/carry/", protection.carry_out, name="protection_carry_out"),
    path("protection/emergencies/<uuid:number>/", protection.one_emergency, name="protection_emergency"),
    path("protection/journal/", protection.journal, name="protection_journal"),
    path("protection/rules/", protection.all_rules, name="protection_rules"),
    path("protection/rules/<slug:name>/", protection.one_rule, name="protection_rule"),
    path("protection/breaches/", protection.all_breaches, name="protection_breaches"),
    path("protection/breaches/<uuid:number>/", protection.one_breach, name="protection_breach"),
    path("protection/agreements/", protection.papers, name="protection_agreements"),
    re_path(
        r"^protection/agreements/(?P<programme>[a-z0-9_]+)/register\.(?P<kind>md|json)$",
        protection.paper_file,
        name="protection_register",
    ),
    re_path(
        r"^protection/agreements/(?P<programme>[a-z0-9_]+)/with/(?P<receiver>[-a-z0-9_]+)\.(?P<kind>md|json)$",
        protection.paper_file,
        name="protection_draft",
    ),
    path("protection/policies/", protection.policies, name="protection_policies"),
    path("protection/keys/", protection.keys, name="protection_keys"),
    *i18n_patterns(
        path("news/", tell.front, name="news"),
        path("news.rss", tell.RssNews(), name="news_rss"),
        path("news.atom", tell.AtomNews(), name="news_atom"),
        path("news.json", tell.json_feed, name="news_json"),
        path("news/<int:year>/<int:month>/<int:day>/<slug:slug>/", tell.release, name="release"),
        path("claims/<slug:slug>/", tell.claim, name="claim"),
        re_path(r"^claims/(?P<slug>[-a-z0-9]+)\.(?P<kind>json|csv)$", tell.claim_file, name="claim_file"),
        path("figures/", tell.figure_list, name="figures"),
        re_path(r"^figures/(?P<name>[a-z0-9_]+\.[a-z0-9_]+)/$", tell.figure, name="figure"),
        re_path(
            r"^figures/(?P<name>[a-z0-9_]+\.[a-z0-9_]+)\.(?P<kind>csv|json)$",
            tell.figure_file,
            name="figure_file",
        ),
        path("programmes/", tell.programmes, name="programmes"),
        path("how/", tell.how, name="how"),
        path("corrections/", tell.corrections, name="corrections"),
        path("accessibility/", tell.accessibility, name="accessibility"),
    ),
]
